"""What a copy lane does for one table: the files of its export here and there, and the pipeline runs that copy them."""
