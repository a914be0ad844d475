using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.MsQuic;
using Post.Quic.MsQuic.Native;
using Post.Quic.SystemNetQuic;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class SystemNetQuicExtrasTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public async Task The_extras_find_all_they_rely_on()
    {
        await using PostTransport transport = MsQuicPlatform.CreateTransport();

        ExtrasOrObstacle found = MsQuicExtras.Get();
        Assert.IsTrue(found.AreThere, found.Obstacle);
        Assert.AreEqual(found.Extras.Capabilities, transport.Capabilities);
        Assert.AreEqual(
            OperatingSystem.IsLinux(), transport.Capabilities.HasFlag(TransportCapabilities.Migration), found.Extras.MigrationObstacle);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_has_the_rank_that_it_is_given()
    {
        await using PostTransport transport = MsQuicPlatform.CreateTransport();
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        TransportListener listener = await transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, TestContext.CancellationToken);
        await using QuicConnection client = await QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = listener.LocalEndPoints[0],
                DefaultCloseErrorCode = 0,
                DefaultStreamErrorCode = 0,
                ClientAuthenticationOptions = new SslClientAuthenticationOptions
                {
                    ApplicationProtocols = [new SslApplicationProtocol(new TransportListenRequest { Local = Local.Anonymous }.Protocol)],
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.Equals(identity),
                },
            },
            TestContext.CancellationToken);
        await using QuicStream stream = await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, TestContext.CancellationToken);
        Assert.IsTrue(MsQuicTable.TryOpen(out MsQuicTable? table, out string? obstacle), obstacle);
        nint handle = QuicInternals.HandleOf(stream).DangerousGetHandle();
        byte[] rank = new byte[sizeof(ushort)];

        Assert.IsTrue(table.TryGetParam(handle, NativeNumbers.StreamPriority, rank, out _));
        Assert.AreEqual(StreamRank.Default, BitConverter.ToUInt16(rank));
        Assert.IsTrue(table.TrySetParam(handle, NativeNumbers.StreamPriority, BitConverter.GetBytes((ushort)0x1234)));
        Assert.IsTrue(table.TryGetParam(handle, NativeNumbers.StreamPriority, rank, out _));
        Assert.AreEqual(0x1234, BitConverter.ToUInt16(rank));
    }

    [TestMethod]
    public void Ranks_fall_with_niceness_and_rise_with_the_deadline()
    {
        TimeProvider time = TimeProvider.System;
        ushort Rank(int niceness, double? seconds = null) => StreamRank.Of(
            new TransportPriority(
                niceness,
                seconds is null ? TransportPriority.NoDeadline : time.GetTimestamp() + (long)(seconds.Value * time.TimestampFrequency),
                false,
                0),
            time);

        Assert.AreEqual(StreamRank.Default, Rank(ObjectProperties.DefaultNiceness));
        Assert.AreEqual(ushort.MaxValue, StreamRank.Of(TransportPriority.Control, time));
        ushort[] falling =
        [
            Rank(0, -1), Rank(0, 0.1), Rank(0, 10), Rank(0), Rank(1, 0.001), Rank(1), Rank(100, 1), Rank(100, 1_000_000_000),
            Rank(100), Rank(101), Rank(1000), Rank(2000),
        ];
        for (int i = 1; i < falling.Length; i++)
        {
            Assert.IsLessThan(falling[i - 1], falling[i], $"Rank {i} is not below the one before it.");
        }

        Assert.AreEqual(Rank(1_000_000), Rank(int.MaxValue), "Beyond the last band all are equal.");
    }

    [TestMethod]
    public void A_stored_session_comes_back_with_its_identity()
    {
        using var certificate = Identity.CreateSelfSigned();
        var server = new PeerIdentity
        {
            Proof = PeerProof.CertificateAuthority,
            Name = "post.example",
            Key = KeyFingerprint.Of(certificate),
            Certificate = certificate,
        };

        Assert.IsTrue(StoredSession.TryDecode(new StoredSession([1, 2, 3], server).Encode(), out StoredSession? session));

        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, session.Ticket);
        Assert.AreEqual(PeerProof.CertificateAuthority, session.Server.Proof);
        Assert.AreEqual("post.example", session.Server.Name);
        Assert.AreEqual(server.Key, session.Server.Key);
    }

    [TestMethod]
    public void Bytes_that_are_no_session_are_none()
    {
        using var certificate = Identity.CreateSelfSigned();
        var server = new PeerIdentity { Proof = PeerProof.PinnedKey, Key = KeyFingerprint.Of(certificate), Certificate = certificate };
        byte[] good = new StoredSession([1], server).Encode();

        // One byte short the ticket is missing, and below that the certificate is cut.
        for (int length = 0; length < good.Length; length++)
        {
            Assert.IsFalse(StoredSession.TryDecode(good.AsSpan(0, length), out _), $"{length} bytes of {good.Length} were taken.");
        }

        for (int i = 0; i < 8; i++)
        {
            byte[] bad = (byte[])good.Clone();
            bad[i] ^= 0xFF;
            if (i != 1)
            {
                Assert.IsFalse(StoredSession.TryDecode(bad, out _), $"Byte {i} was wrong and nobody saw it.");
            }
        }
    }
}
