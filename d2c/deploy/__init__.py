"""What a deployment of the product consists of beside the app, how it is published, and whether it is there."""
