using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// What a TLS session asks of the connection it runs in (RFC 9001 section 4.1). All calls come from within a call of
/// the session, on the caller's thread.
/// </summary>
internal interface ITlsHost
{
    /// <summary>Send these bytes in CRYPTO frames of that level. The span is valid during the call only.</summary>
    void OnHandshakeData(EncryptionLevel level, ReadOnlySpan<byte> data);

    /// <summary>
    /// A traffic secret is known. A secret to send with comes after the handshake bytes that precede its use. The span
    /// is valid during the call only, and zeroed by the session.
    /// </summary>
    void OnSecret(EncryptionLevel level, KeyDirection direction, CipherSuite suite, ReadOnlySpan<byte> secret);

    /// <summary>
    /// The peer's quic_transport_parameters extension. Server: before <see cref="OnClientHello"/>, once, also when the
    /// client has to try again. Client: with EncryptedExtensions; not authenticated before the handshake is complete.
    /// </summary>
    TransportError OnPeerTransportParameters(ReadOnlySpan<byte> extension);

    /// <summary>Writes our own transport parameters; asked once for each hello that carries them.</summary>
    void WriteTransportParameters(ref WireWriter writer);

    /// <summary>
    /// Server: a client says what it wants; answer with <see cref="TlsServer.ProvideOptions"/>, at once or later.
    /// </summary>
    void OnClientHello(in ClientHelloInfo info);

    /// <summary>
    /// Early data was offered, and this is its fate. Server: before the secret to read it with comes. Client: with
    /// EncryptedExtensions, or with a HelloRetryRequest, which rejects it; what was sent is to be sent again in 1-RTT.
    /// </summary>
    void OnEarlyDataDecision(bool accepted);

    /// <summary>The peer's Finished is verified and ours is sent (RFC 9001 section 4.1.1).</summary>
    void OnHandshakeComplete();

    /// <summary>Client: a session can be resumed with this.</summary>
    void OnSessionTicket(TlsSessionTicket ticket);

    /// <summary>
    /// The peer has proven that it holds the key of what it showed: is it whom we want? Answer with
    /// <see cref="TlsSession.CompleteCertificateValidation"/> on the connection's thread, at once or later.
    /// <see cref="CertificateValidationRequest.Validate"/> gives the answer; it can take long, on any thread. Not asked
    /// where keys are pinned: the session answers that by itself.
    /// </summary>
    void OnCertificateToValidate(CertificateValidationRequest request);
}
