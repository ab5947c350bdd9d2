"""What a forwarder must know of a payload, without decoding it."""
