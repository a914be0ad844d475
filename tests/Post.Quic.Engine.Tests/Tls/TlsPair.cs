using System.Net.Security;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>A client and a server with nothing between them but a test's wishes.</summary>
internal sealed class TlsPair : IDisposable
{
    public static readonly SslApplicationProtocol Protocol = new("post/1");

    public TlsPair(
        TlsClientOptions? clientOptions = null,
        TlsServerOptions? serverOptions = null,
        DateTimeOffset? time = null,
        bool serverWaits = false,
        bool validationWaits = false)
    {
        var clock = new TlsClock(time ?? TestCertificates.Now, 0);
        ClientHost = new TestTlsHost { AnswersValidation = !validationWaits };
        ServerHost = new TestTlsHost
        {
            OwnTransportParameters = [9, 8, 7],
            AnswersValidation = !validationWaits,
            ServerOptions = serverWaits ? null : serverOptions ?? ServerOptions(),
        };
        Client = new TlsClient(ClientHost, clientOptions ?? ClientOptions(), new SeededRandomSource(1), clock);
        Server = new TlsServer(ServerHost, new SeededRandomSource(2), clock);
        ClientHost.Session = Client;
        ServerHost.Session = Server;
    }

    public TestTlsHost ClientHost { get; }

    public TestTlsHost ServerHost { get; }

    public TlsClient Client { get; }

    public TlsServer Server { get; }

    public TransportError ClientError { get; private set; }

    public TransportError ServerError { get; private set; }

    /// <summary>Changes a message on its way; nothing is delivered when it gives none.</summary>
    public Func<bool, EncryptionLevel, byte[], byte[]?>? Tamper { get; set; }

    /// <summary>Bytes delivered at a time.</summary>
    public int ChunkLength { get; set; } = int.MaxValue;

    public bool IsComplete => Client.IsComplete && Server.IsComplete && !ClientError.IsError && !ServerError.IsError;

    public static TlsClientOptions ClientOptions(
        TlsSessionTicket? ticket = null,
        IReadOnlyList<CipherSuite>? suites = null,
        IReadOnlyList<NamedGroup>? groups = null,
        IReadOnlyList<SslApplicationProtocol>? protocols = null,
        CertificatePolicy? policy = null,
        Credential? credential = null,
        string host = TestCertificates.Host,
        bool earlyData = false,
        bool resumption = true,
        int? keyShares = null,
        CryptoProvider? crypto = null,
        Action<string>? keyLog = null,
        RawKeyCredential? rawKey = null) => new()
        {
            TargetHost = host,
            ApplicationProtocols = protocols ?? [Protocol],
            CipherSuites = suites ?? TlsDefaults.CipherSuites,
            Groups = groups ?? TlsDefaults.Groups,

            // A test that names the groups wants the server to ask for another than the first.
            KeyShares = keyShares ?? (groups is null ? 2 : 1),
            Crypto = crypto ?? CryptoProviderFactory.Default,
            CertificatePolicy = policy ?? CertificatePolicy.ForServers(TestCertificates.Trust),
            SelectCredential = credential is null ? null : _ => credential,
            RawKey = rawKey,
            SessionTicket = ticket,
            EnableEarlyData = earlyData,
            AllowResumption = resumption,
            KeyLog = keyLog,
        };

    public static TlsServerOptions ServerOptions(
        Credential? credential = null,
        IReadOnlyList<CipherSuite>? suites = null,
        IReadOnlyList<NamedGroup>? groups = null,
        IReadOnlyList<SslApplicationProtocol>? protocols = null,
        ClientCertificateMode mode = ClientCertificateMode.None,
        CertificatePolicy? policy = null,
        TicketKeyRing? keys = null,
        bool earlyData = false,
        IAntiReplay? antiReplay = null,
        byte[]? earlyDataContext = null,
        byte[]? cookie = null,
        CryptoProvider? crypto = null,
        Action<string>? keyLog = null,
        RawKeyCredential? rawKey = null,
        bool hasCertificate = true) => new()
        {
            ApplicationProtocols = protocols ?? [Protocol],
            SelectCredential = hasCertificate ? _ => credential ?? TestCertificates.P256 : null,
            RawKey = rawKey,
            CipherSuites = suites ?? TlsDefaults.CipherSuites,
            Groups = groups ?? TlsDefaults.Groups,
            ClientCertificateMode = mode,
            CertificatePolicy = policy ?? CertificatePolicy.ForClients(TestCertificates.Trust),
            TicketKeys = keys,
            EnableEarlyData = earlyData,
            AntiReplay = antiReplay,
            EarlyDataContext = earlyDataContext,
            RetryCookie = cookie,
            Crypto = crypto ?? CryptoProviderFactory.Default,
            KeyLog = keyLog,
        };

    public static TicketKeyRing Keys() => new(new SeededRandomSource(3));

    /// <summary>Runs until nobody has anything to say.</summary>
    public TlsPair Run()
    {
        ClientError = Client.Start(ClientHost.Now);
        return Continue();
    }

    public TlsPair Continue()
    {
        while (ClientHost.Outgoing.Count + ServerHost.Outgoing.Count > 0)
        {
            while (ClientHost.Outgoing.TryDequeue(out (EncryptionLevel Level, byte[] Data) message))
            {
                ServerError = Deliver(Server, ServerHost, message, fromServer: false, ServerError);
            }

            while (ServerHost.Outgoing.TryDequeue(out (EncryptionLevel Level, byte[] Data) message))
            {
                ClientError = Deliver(Client, ClientHost, message, fromServer: true, ClientError);
            }
        }

        return this;
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private TransportError Deliver(
        TlsSession receiver, TestTlsHost host, (EncryptionLevel Level, byte[] Data) message, bool fromServer, TransportError earlier)
    {
        byte[]? data = Tamper is null ? message.Data : Tamper(fromServer, message.Level, message.Data);
        if (earlier.IsError || data is null)
        {
            return earlier;
        }

        TransportError error = default;
        for (int i = 0; i < data.Length && !error.IsError; i += Math.Min(ChunkLength, data.Length - i))
        {
            error = receiver.Receive(message.Level, data.AsSpan(i, Math.Min(ChunkLength, data.Length - i)), host.Now);
        }

        return error;
    }
}
