using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;

namespace Post.Quic.Interop.Tests.Managed;

/// <summary>Our end of a connection with a foreign one: the managed engine with the development certificates.</summary>
internal static class Ours
{
    // Whoever looks into a failure sets QLOGDIR.
    private static readonly QuicTraceOptions? Trace = QuicTraceOptions.FromEnvironment();

    /// <summary>What tests/peers/quicgo speaks.</summary>
    public static readonly SslApplicationProtocol Interop = new("interop");

    public static ValueTask<QuicConnection> ConnectAsync(
        IPEndPoint server,
        SslApplicationProtocol protocol,
        CancellationToken cancellationToken,
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? options = null,
        TlsCipherSuite? suite = null,
        bool showCertificate = false)
    {
        var authentication = new SslClientAuthenticationOptions
        {
            ApplicationProtocols = [protocol],
            TargetHost = "localhost",
            CipherSuitesPolicy = Only(suite),
            CertificateChainPolicy = Trust(),
        };
        if (showCertificate)
        {
            authentication.ClientCertificates = [TestFiles.Certificates.Client1.Certificate];
        }

        var plain = new QuicClientConnectionOptions
        {
            RemoteEndPoint = server,
            ClientAuthenticationOptions = authentication,
            Trace = Trace,
        };
        return QuicConnection.ConnectAsync(options?.Invoke(plain) ?? plain, cancellationToken);
    }

    public static ValueTask<QuicListener> ListenAsync(
        SslApplicationProtocol protocol,
        Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? options = null,
        TlsCipherSuite? suite = null,
        bool askForCertificate = false,
        QuicRetryPolicy retry = QuicRetryPolicy.UnderLoad,
        IPAddress? address = null)
    {
        var authentication = new SslServerAuthenticationOptions
        {
            ApplicationProtocols = [protocol],
            CipherSuitesPolicy = Only(suite),
            ServerCertificateContext =
                SslStreamCertificateContext.Create(TestFiles.Certificates.Server.Certificate, null, offline: true),
            ClientCertificateRequired = askForCertificate,
            CertificateChainPolicy = askForCertificate ? Trust() : null,
        };
        var plain = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = authentication,
            MaxInboundBidirectionalStreams = 200,
        };
        plain = options?.Invoke(plain) ?? plain;
        return QuicListener.ListenAsync(new QuicListenerOptions
        {
            ListenEndPoint = new IPEndPoint(address ?? IPAddress.Loopback, 0),
            ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(plain),
            Retry = retry,
            Trace = Trace,
        });
    }

    public static async Task<byte[]> ReadToEndAsync(this QuicStream stream, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, cancellationToken);
        return all.ToArray();
    }

    /// <summary>Until the peer has acknowledged all, or has left: with an answer in hand it need not acknowledge it.</summary>
    public static async Task WaitForDeliveryAsync(
        this QuicStream stream, QuicConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WritesClosed.WaitAsync(cancellationToken);
        }
        catch (QuicException) when (connection.Closed.IsCompleted)
        {
            // Whether it had all, the peer's exit code or its file says.
        }
    }

    private static X509ChainPolicy Trust() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { TestFiles.Certificates.Authority.Certificate },
        RevocationMode = X509RevocationMode.NoCheck,
    };

#pragma warning disable CA1416 // These tests run where the peers do: on Linux.
    private static CipherSuitesPolicy? Only(TlsCipherSuite? suite) => suite is { } one ? new CipherSuitesPolicy([one]) : null;
#pragma warning restore CA1416
}
