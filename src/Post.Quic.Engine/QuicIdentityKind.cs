namespace Post.Quic.Engine;

/// <summary>What a side of a connection proves itself with: the certificate types of TLS (RFC 7250 section 3).</summary>
public enum QuicIdentityKind
{
    /// <summary>An X.509 certificate, with those that vouch for it.</summary>
    Certificate,

    /// <summary>A public key alone: no name, no date and no authority. Who the peer is follows from the key, or not at all.</summary>
    RawPublicKey,
}
