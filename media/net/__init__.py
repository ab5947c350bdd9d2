"""The shell around the SFU's decisions: one UDP socket, ICE-lite, DTLS, SRTP, SCTP."""
