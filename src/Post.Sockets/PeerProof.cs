namespace Post.Sockets;

/// <summary>How a peer's identity is, or was, proven.</summary>
public enum PeerProof
{
    /// <summary>Not at all: a client without a certificate.</summary>
    None,

    /// <summary>By a certificate that a trusted authority signed for its name.</summary>
    CertificateAuthority,

    /// <summary>By a public key known beforehand.</summary>
    PinnedKey,

    /// <summary>By the judgement of the application.</summary>
    Callback,
}
