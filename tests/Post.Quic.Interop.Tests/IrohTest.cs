using System.Globalization;
using System.Net;
using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Engine.Tests.Udp;
using Post.Quic.Interop.Tests.Foreign;

namespace Post.Quic.Interop.Tests;

/// <summary>
/// What the tests with iroh share. It runs in a network namespace of the test's own, together with our side: it looks for routers and
/// binds every interface, and is to find none but the loopback one.
/// </summary>
public abstract class IrohTest : PeerTest
{
    private protected static readonly QuicIdentityKind[] KeysAlone = [QuicIdentityKind.RawPublicKey];

    /// <summary>Skipped where the package, Node.js, namespaces or Ed25519 are absent.</summary>
    private protected void Run(Func<QuicPrivateKey, Task> test)
    {
        Peers.Require("node");
        Peers.RequireIroh();
        if (!QuicPrivateKey.IsSupported(QuicKeyAlgorithm.Ed25519))
        {
            Assert.Inconclusive("iroh has Ed25519 keys alone, which need OpenSSL's libcrypto.");
        }

        PrivateNetwork.Run(["ip link set lo up"], () =>
        {
            using var key = QuicPrivateKey.Create(QuicKeyAlgorithm.Ed25519);
            NamespaceContext.Run(() => test(key));
        });
    }

    private protected async Task<(PeerProcess Peer, QuicPublicKey Key, int Port)> StartIrohServerAsync()
    {
        PeerProcess peer = StartIroh("server", "--bind", "0.0.0.0:0", "--bind", "[::1]:0");
        QuicPublicKey key = KeyOf(await peer.WaitForLineAsync("key ", Cancel));
        string line = await peer.WaitForLineAsync("listening 0.0.0.0:", Cancel);
        return (peer, key, int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture));
    }

    private protected PeerProcess StartIroh(params IEnumerable<string> arguments) =>
        Start(Peers.Require("node"), ["--no-deprecation", Peers.RequireIroh(), .. arguments]);

    private protected ValueTask<QuicConnection> ConnectAsync(
        int port, QuicPublicKey server, QuicPrivateKey own, Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? options = null) =>
        Managed.Ours.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Managed.Ours.Interop, Cancel, plain =>
        {
            QuicClientConnectionOptions withKeys = plain with
            {
                ClientAuthenticationOptions = new SslClientAuthenticationOptions { ApplicationProtocols = [Managed.Ours.Interop] },
                PrivateKey = own,
                PeerIdentityKinds = KeysAlone,
                PinnedPublicKeys = [server.GetHash()],
            };
            return options?.Invoke(withKeys) ?? withKeys;
        });

    private protected static ValueTask<QuicListener> ListenAsync(
        QuicPrivateKey own, Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? options = null) =>
        Managed.Ours.ListenAsync(
            Managed.Ours.Interop,
            plain =>
            {
                QuicServerConnectionOptions withKeys = plain with
                {
                    ServerAuthenticationOptions = new SslServerAuthenticationOptions
                    {
                        ApplicationProtocols = [Managed.Ours.Interop],
                        ClientCertificateRequired = true,
                    },
                    PrivateKey = own,
                    PeerIdentityKinds = KeysAlone,
                    RemotePublicKeyValidationCallback = static key => key.Algorithm == QuicKeyAlgorithm.Ed25519,
                };
                return options?.Invoke(withKeys) ?? withKeys;
            },
            address: IPAddress.Any);

    private protected static string Hex(QuicPublicKey key) => Convert.ToHexStringLower(key.ToBytes());

    private protected static QuicPublicKey KeyOf(string line) =>
        QuicPublicKey.FromBytes(QuicKeyAlgorithm.Ed25519, Convert.FromHexString(line[(line.LastIndexOf(' ') + 1)..]));
}
