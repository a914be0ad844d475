namespace Post.Quic.Engine.Tls;

/// <summary>Where a server stands in the handshake (RFC 8446 appendix A.2): what it waits for.</summary>
internal enum ServerState
{
    ClientHello,
    Options,
    SecondClientHello,
    Certificate,
    CertificateVerify,
    Finished,
    Connected,
}
