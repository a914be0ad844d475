using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// One side of a TLS 1.3 handshake as QUIC uses it (RFC 9001 section 4): handshake bytes in, handshake bytes and
/// secrets out. It does no I/O and reads no clock.
/// </summary>
internal abstract class TlsSession : IDisposable
{
    /// <summary>The protocol both agreed on; empty before EncryptedExtensions.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; protected set; }

    public CipherSuite CipherSuite { get; protected set; }

    public NamedGroup Group { get; protected set; }

    /// <summary>The host name the client asked for; empty when it asked for none.</summary>
    public string ServerName { get; protected set; } = string.Empty;

    /// <summary>The certificate the peer proved itself with, in this session or in the one that it resumes.</summary>
    public X509Certificate2? PeerCertificate { get; protected set; }

    public bool IsResumed { get; protected set; }

    public bool EarlyDataAccepted { get; protected set; }

    public bool IsComplete { get; protected set; }

    /// <summary>A certificate, or the server's options, are being waited for.</summary>
    public abstract bool IsWaiting { get; }

    /// <summary>Client: writes the ClientHello. Server: nothing to do.</summary>
    public abstract TransportError Start(long now);

    /// <summary>Takes the next bytes of the CRYPTO stream of a level, in order, in pieces of any size.</summary>
    public abstract TransportError Receive(EncryptionLevel level, ReadOnlySpan<byte> data, long now);

    /// <summary>
    /// Bytes of that level wait for the rest of their message. RFC 9001 section 4.1.3: left over when the next level's
    /// keys are in use, they are a PROTOCOL_VIOLATION.
    /// </summary>
    public abstract bool HasPartialMessage(EncryptionLevel level);

    /// <summary>Answers <see cref="ITlsHost.OnCertificateToValidate"/>, also from within it.</summary>
    public abstract TransportError CompleteCertificateValidation(in CertificateValidationResult result, long now);

    /// <summary>
    /// Keying material for the application (RFC 8446 section 7.5), once the handshake is complete.
    /// </summary>
    public abstract void Export(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
