"""What should be so, and why: values in, values out, with no I/O and no clock."""
