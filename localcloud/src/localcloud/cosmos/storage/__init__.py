"""What an account holds, and the rules for it: documents, partition keys, throughput, charges."""
