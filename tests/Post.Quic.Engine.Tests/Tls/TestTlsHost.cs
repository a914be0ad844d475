using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>A connection's place in the tests of TLS: keeps what the session says, and answers for it.</summary>
internal sealed class TestTlsHost : ITlsHost
{
    public TlsSession? Session { get; set; }

    public byte[] OwnTransportParameters { get; init; } = [1, 2, 3, 4];

    /// <summary>What the session sent and the peer has not got yet.</summary>
    public Queue<(EncryptionLevel Level, byte[] Data)> Outgoing { get; } = new();

    public Dictionary<(EncryptionLevel Level, KeyDirection Direction), byte[]> Secrets { get; } = [];

    public List<string> Events { get; } = [];

    public List<TlsSessionTicket> Tickets { get; } = [];

    public byte[]? PeerTransportParameters { get; private set; }

    public TransportError TransportParametersAnswer { get; init; }

    public bool? EarlyData { get; private set; }

    public bool IsComplete { get; private set; }

    public ClientHelloInfo? Hello { get; private set; }

    public CertificateValidationRequest? Validation { get; private set; }

    /// <summary>Answers a server gives at once; none: it is left to the test.</summary>
    public TlsServerOptions? ServerOptions { get; init; }

    public bool AnswersValidation { get; init; } = true;

    public long Now { get; set; }

    public void OnHandshakeData(EncryptionLevel level, ReadOnlySpan<byte> data)
    {
        Events.Add($"data {level}");
        Outgoing.Enqueue((level, data.ToArray()));
    }

    public void OnSecret(EncryptionLevel level, KeyDirection direction, CipherSuite suite, ReadOnlySpan<byte> secret)
    {
        Events.Add($"secret {level} {direction}");
        Secrets.Add((level, direction), secret.ToArray());
    }

    public TransportError OnPeerTransportParameters(ReadOnlySpan<byte> extension)
    {
        Events.Add("parameters");
        PeerTransportParameters = extension.ToArray();
        return TransportParametersAnswer;
    }

    public void WriteTransportParameters(ref WireWriter writer) => writer.WriteBytes(OwnTransportParameters);

    public void OnClientHello(in ClientHelloInfo info)
    {
        Events.Add("hello");
        Hello = info;
        if (ServerOptions is not null)
        {
            ((TlsServer)Session!).ProvideOptions(ServerOptions, Now);
        }
    }

    public void OnEarlyDataDecision(bool accepted)
    {
        Events.Add($"early data {accepted}");
        EarlyData = accepted;
    }

    public void OnHandshakeComplete()
    {
        Events.Add("complete");
        IsComplete = true;
    }

    public void OnSessionTicket(TlsSessionTicket ticket) => Tickets.Add(ticket);

    public void OnCertificateToValidate(CertificateValidationRequest request)
    {
        Events.Add("validate");
        Validation = request;
        if (AnswersValidation)
        {
            Session!.CompleteCertificateValidation(request.Validate(), Now);
        }
    }
}
