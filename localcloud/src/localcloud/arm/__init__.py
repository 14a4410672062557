"""What all calls to Azure Resource Manager share: routes, sign-in, errors and faults on demand."""
