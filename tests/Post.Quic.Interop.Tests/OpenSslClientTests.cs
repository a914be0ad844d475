using System.Diagnostics;
using System.Globalization;
using System.Text;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>OpenSSL's own QUIC, from 3.5, with our server: the peer for the key exchanges with ML-KEM.</summary>
[TestClass]
public sealed class OpenSslClientTests : PeerTest
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(QuicKeyExchangeGroup.X25519MlKem768, "X25519MLKEM768")]
    [DataRow(QuicKeyExchangeGroup.Secp256r1MlKem768, "SecP256r1MLKEM768")]
    [DataRow(QuicKeyExchangeGroup.Secp384r1MlKem1024, "SecP384r1MLKEM1024")]
    [DataRow(QuicKeyExchangeGroup.X25519, "X25519")]
    [DataRow(QuicKeyExchangeGroup.Secp256r1, "secp256r1")]
    public Task The_client_agrees_on_keys_with_our_server(QuicKeyExchangeGroup group, string name) =>
        ExchangeAsync(group, name, [group]);

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public Task The_client_tries_again_for_the_hybrid_that_our_server_prefers() =>
        ExchangeAsync(
            QuicKeyExchangeGroup.X25519MlKem768,
            "*X25519:X25519MLKEM768",
            [QuicKeyExchangeGroup.X25519MlKem768, QuicKeyExchangeGroup.X25519]);

    private async Task ExchangeAsync(QuicKeyExchangeGroup group, string offered, QuicKeyExchangeGroup[] taken)
    {
        RequireOpenSslWithQuic();
        QuicListener listener;
        try
        {
            listener = await Ours.ListenAsync(Ours.Interop, plain => plain with { KeyExchangeGroups = taken });
        }
        catch (ArgumentException missing)
        {
            Assert.Inconclusive(missing.Message);
            return;
        }

        await using QuicListener disposed = listener;
        string port = listener.LocalEndPoint.Port.ToString(CultureInfo.InvariantCulture);
        PeerProcess peer = Start(
            "/bin/sh",
            "-c",
            $"(printf hello; sleep 3) | openssl s_client -quic -connect 127.0.0.1:{port} -alpn {Ours.Interop} -groups '{offered}' "
                + $"-servername localhost -CAfile {TestFiles.Certificate("ca")} -verify_return_error -ign_eof");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        await using QuicStream stream = await connection.AcceptInboundStreamAsync(Cancel);
        byte[] hello = new byte[5];
        await stream.ReadExactlyAsync(hello, Cancel);
        Assert.AreEqual("hello", Encoding.ASCII.GetString(hello));
        await stream.WriteAsync("and good bye\n"u8.ToArray(), completeWrites: true, Cancel);

        await peer.WaitForLineAsync("and good bye", Cancel);
        Assert.AreEqual(group, connection.NegotiatedKeyExchangeGroup);
        Assert.IsTrue(peer.HasSaid("Verify return code: 0 (ok)"));
    }

    private static void RequireOpenSslWithQuic()
    {
        string program = Peers.Require("openssl");
        using var help = Process.Start(new ProcessStartInfo(program, ["s_client", "-help"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = help.StandardError.ReadToEndAsync();
        string text = help.StandardOutput.ReadToEnd() + errors.Result;
        if (!text.Contains("-quic", StringComparison.Ordinal))
        {
            Assert.Inconclusive("The installed openssl has no QUIC; that comes with 3.5.");
        }
    }
}
