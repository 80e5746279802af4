"""From bytes of a connection to messages, and back: framing, checking, SASL."""
