namespace Post.Quic.Engine.Tls;

/// <summary>Where a client stands in the handshake (RFC 8446 appendix A.1): what it waits for.</summary>
internal enum ClientState
{
    Start,
    ServerHello,
    EncryptedExtensions,
    CertificateOrRequest,
    Certificate,
    CertificateVerify,
    Finished,
    Connected,
}
