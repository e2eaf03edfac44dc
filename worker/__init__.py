"""What happens next: operations, actors and the scheduler."""
