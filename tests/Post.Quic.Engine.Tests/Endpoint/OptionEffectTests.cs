using System.Net;
using System.Net.Security;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>
/// Every option of a connection has its effect on either side: a client is met before the options of its connection are known, so what a
/// server is told may come too late for something. What an option does is seen from the other end of the connection.
/// </summary>
[TestClass]
public sealed class OptionEffectTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    private static readonly Dictionary<string, Effect> Effects = new()
    {
        [nameof(QuicConnectionOptions.MaxInboundBidirectionalStreams)] = new(
            static options => options with { MaxInboundBidirectionalStreams = 7 },
            static (_, other, _) => Same(7UL, Told(other).InitialMaxStreamsBidirectional)),
        [nameof(QuicConnectionOptions.MaxInboundUnidirectionalStreams)] = new(
            static options => options with { MaxInboundUnidirectionalStreams = 6 },
            static (_, other, _) => Same(6UL, Told(other).InitialMaxStreamsUnidirectional)),
        [nameof(QuicConnectionOptions.InitialConnectionReceiveWindow)] = new(
            static options => options with { InitialConnectionReceiveWindow = 77_777 },
            static (_, other, _) => Same(77_777UL, Told(other).InitialMaxData)),
        [nameof(QuicConnectionOptions.InitialStreamReceiveWindow)] = new(
            static options => options with { InitialStreamReceiveWindow = 66_666 },
            static (_, other, _) => Same(66_666UL, Told(other).InitialMaxStreamDataUnidirectional)),
        [nameof(QuicConnectionOptions.MaxConnectionReceiveWindow)] = new(
            static options => options with { InitialConnectionReceiveWindow = 400_000, MaxConnectionReceiveWindow = 400_000 },
            static (one, other, cancel) => TakesAtMostAsync(one, other, 400_000, cancel)),
        [nameof(QuicConnectionOptions.MaxStreamReceiveWindow)] = new(
            static options => options with { InitialStreamReceiveWindow = 400_000, MaxStreamReceiveWindow = 400_000 },
            static (one, other, cancel) => TakesAtMostAsync(one, other, 400_000, cancel)),
        [nameof(QuicConnectionOptions.IdleTimeout)] = new(
            static options => options with { IdleTimeout = TimeSpan.FromSeconds(4) },
            static (_, other, _) => Same(4000UL, Told(other).MaxIdleTimeout)),
        [nameof(QuicConnectionOptions.KeepAliveInterval)] = new(
            static options => options with { KeepAliveInterval = Soon },
            static async (_, other, cancel) =>
            {
                // Ten of them: more than a handshake and its key update leave over.
                long before = other.GetStatistics().PacketsReceived;
                await UntilAsync(() => other.GetStatistics().PacketsReceived >= before + 10, cancel);
            }),
        [nameof(QuicConnectionOptions.DefaultCloseErrorCode)] = new(
            static options => options with { DefaultCloseErrorCode = 4711 },
            static async (one, other, cancel) =>
            {
                await one.DisposeAsync();
                QuicException closed = await Assert.ThrowsExactlyAsync<QuicException>(() => other.Closed.WaitAsync(cancel));
                Assert.AreEqual(4711, closed.ApplicationErrorCode);
            }),
        [nameof(QuicConnectionOptions.DefaultStreamErrorCode)] = new(
            static options => options with { DefaultStreamErrorCode = 4712 },
            static async (one, other, cancel) =>
            {
                await using (QuicStream stream = await one.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancel))
                {
                    await stream.WriteAsync(new byte[1], cancel);
                }

                await using QuicStream taken = await other.AcceptInboundStreamAsync(cancel);
                QuicException reset = await Assert.ThrowsExactlyAsync<QuicException>(async () => await taken.CopyToAsync(Stream.Null, cancel));
                Assert.AreEqual(4712, reset.ApplicationErrorCode);
            }),
        [nameof(QuicConnectionOptions.EnableDatagrams)] = new(
            static options => options with { EnableDatagrams = false },
            static (_, other, _) => Same(0, other.MaxDatagramSize)),
        [nameof(QuicConnectionOptions.MaxUdpPayloadSize)] = new(
            static options => options with { MaxUdpPayloadSize = 1333 },
            static (one, other, cancel) =>
                UntilAsync(() => one.GetPaths()[0].Mtu == 1333 && other.GetPaths()[0].Mtu > 1333, cancel)),
        [nameof(QuicConnectionOptions.PreferVersion2)] = new(
            static options => options with { PreferVersion2 = true },
            static async (one, other, _) =>
            {
                await Same(0x6b3343cf, one.NegotiatedVersion);
                await Same(0x6b3343cf, other.NegotiatedVersion);
            }),
        [nameof(QuicConnectionOptions.EnableEcn)] = new(
            static options => options with { EnableEcn = false },
            static async (one, other, cancel) =>
            {
                await EchoAsync(one, other, cancel);
                await Same(0UL, Marks(other));
                Assert.AreNotEqual(0UL, Marks(one), "The other way they are marked: this network carries marks.");
            }),
        [nameof(QuicConnectionOptions.CongestionControl)] = new(
            static options => options with { CongestionControl = QuicCongestionControl.Bbr },
            static async (one, other, cancel) =>
            {
                await EchoAsync(one, other, cancel);
                await Same("bbr3", Congestion(one));
                await Same("cubic", Congestion(other));
            }),
        [nameof(QuicConnectionOptions.EnableSpinBit)] = new(
            static options => options with { EnableSpinBit = true },
            static (one, other, cancel) => UntilAsync(() => one.Driver.Core.State.Settings.SpinBit && !other.Driver.Core.State.Settings.SpinBit, cancel)),
        [nameof(QuicConnectionOptions.KeyExchangeGroups)] = new(
            static options => options with { KeyExchangeGroups = [QuicKeyExchangeGroup.Secp384r1] },
            static (_, other, _) => Same(QuicKeyExchangeGroup.Secp384r1, other.NegotiatedKeyExchangeGroup)),
    };

    /// <summary>Options whose effects tests of their own show, and what is no option of the wire.</summary>
    private static readonly string[] Elsewhere =
    [
        nameof(QuicConnectionOptions.HandshakeTimeout), // below, and LoopbackTests
        nameof(QuicConnectionOptions.Events), // below
        nameof(QuicConnectionOptions.KeyLog), // below
        nameof(QuicConnectionOptions.MaxPaths), // PathSocketTests
        nameof(QuicConnectionOptions.PathPolicy), // ShapedLinkTests, PathChoiceSocketTests
        nameof(QuicConnectionOptions.PathIdleTimeout), // PathChoiceSocketTests
        nameof(QuicConnectionOptions.PinnedPublicKeys), // RawKeyLoopbackTests, with the three that follow
        nameof(QuicConnectionOptions.PrivateKey),
        nameof(QuicConnectionOptions.PeerIdentityKinds),
        nameof(QuicConnectionOptions.RemotePublicKeyValidationCallback),
        nameof(QuicConnectionOptions.WritesCompleteWhenSent), // the contract of the transports, in Post.Quic.Tests
    ];

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    public static IEnumerable<object[]> Options => Effects.Keys.SelectMany(static name => new object[][] { [name, true], [name, false] });

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DynamicData(nameof(Options))]
    public async Task An_option_has_its_effect_on_the_other_end(string option, bool onServer)
    {
        Effect effect = Effects[option];
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel,
            client => onServer ? client : (QuicClientConnectionOptions)effect.Set(client),
            server => onServer ? (QuicServerConnectionOptions)effect.Set(server) : server);

        await effect.Check(onServer ? pair.Server : pair.Client, onServer ? pair.Client : pair.Server, Cancel);
    }

    [TestMethod]
    public void No_option_is_without_a_test()
    {
        string[] options = [.. typeof(QuicConnectionOptions).GetProperties().Where(static one => one.CanWrite).Select(static one => one.Name)];

        CollectionAssert.AreEquivalent(options, Effects.Keys.Concat(Elsewhere).ToArray());
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_server_gives_up_a_handshake_in_the_time_that_its_options_allow()
    {
        using var judging = new SemaphoreSlim(0);
        SslClientAuthenticationOptions slow = LoopbackPair.ClientAuthentication();
        slow.RemoteCertificateValidationCallback = (_, _, _, errors) =>
        {
            judging.Wait(Cancel);
            return errors == SslPolicyErrors.None;
        };
        var gaveUp = new TaskCompletionSource<QuicException>();
        await using QuicListener listener = await LoopbackPair.ListenAsync(
            server => server with { HandshakeTimeout = TimeSpan.FromMilliseconds(300), Events = new Closing(gaveUp) });

        Task<QuicConnection> connecting = LoopbackPair.ConnectToAsync(
            listener, Cancel, client => client with { ClientAuthenticationOptions = slow, IdleTimeout = TimeSpan.FromSeconds(2) }).AsTask();

        Assert.AreEqual(QuicError.ConnectionTimeout, (await gaveUp.Task.WaitAsync(Cancel)).QuicError);
        judging.Release();
        await Assert.ThrowsExactlyAsync<QuicException>(async () => await (await connecting).Closed.WaitAsync(Cancel));
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Both_ends_push_their_events_and_log_their_keys()
    {
        (Noting Client, Noting Server) events = (new Noting(), new Noting());
        List<string> clientKeys = [];
        List<string> serverKeys = [];
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel,
            client => client with { Events = events.Client, KeyLog = clientKeys.Add },
            server => server with { Events = events.Server, KeyLog = serverKeys.Add });

        Assert.IsTrue(events.Client.IsComplete);
        Assert.IsTrue(events.Server.IsComplete);
        Assert.AreNotEqual(0, clientKeys.Count);
        CollectionAssert.AreEquivalent(clientKeys, serverKeys);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task What_belongs_to_the_endpoint_is_refused_beside_one()
    {
        await using QuicEndpoint endpoint = QuicEndpoint.Open(new QuicEndpointOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        Func<QuicListenerOptions, QuicListenerOptions>[] listens =
        [
            options => options with { StatelessResetKey = new byte[32] },
            options => options with { TokenKey = new byte[32] },
            options => options with { ListenEndPoint = new IPEndPoint(IPAddress.Loopback, 1) },
            options => options with { ListenEndPoint = new IPEndPoint(IPAddress.IPv6Loopback, 0) },
            options => options with { TimeProvider = new OtherTime() },
        ];
        foreach (Func<QuicListenerOptions, QuicListenerOptions> listen in listens)
        {
            await Assert.ThrowsExactlyAsync<ArgumentException>(
                () => LoopbackPair.ListenAsync(listen: options => listen(options with { Endpoint = endpoint })).AsTask());
        }

        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with { Endpoint = endpoint });
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>[] connects =
        [
            options => options with { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 1) },
            options => options with { TimeProvider = new OtherTime() },
        ];
        foreach (Func<QuicClientConnectionOptions, QuicClientConnectionOptions> connect in connects)
        {
            await Assert.ThrowsExactlyAsync<ArgumentException>(
                () => LoopbackPair.ConnectToAsync(listener, Cancel, options => connect(options with { Endpoint = endpoint })).AsTask());
        }
    }

    private static TransportParameters Told(QuicConnection other)
    {
        lock (other.Driver.Gate)
        {
            return other.Driver.Core.PeerParameters;
        }
    }

    private static ulong Marks(QuicConnection of)
    {
        lock (of.Driver.Gate)
        {
            return of.Driver.Core.State.Paths.First.Space.Received.EcnCounts.Ect0;
        }
    }

    private static string Congestion(QuicConnection of)
    {
        lock (of.Driver.Gate)
        {
            return of.Driver.Core.State.Paths.First.Transmission.Congestion.Name;
        }
    }

    private static Task Same<T>(T expected, T actual)
    {
        Assert.AreEqual(expected, actual);
        return Task.CompletedTask;
    }

    /// <summary>Reading quickly makes a window grow, up to what the options allow; what is on its way beyond what was read shows its size.</summary>
    private static async Task TakesAtMostAsync(QuicConnection one, QuicConnection other, int window, CancellationToken cancel)
    {
        QuicStream sending = await other.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancel);
        long before = other.GetStatistics().BytesSent;
        Task writing = sending.WriteAsync(new byte[window * 40], cancel).AsTask();
        await using QuicStream reading = await one.AcceptInboundStreamAsync(cancel);
        int read = 0;
        byte[] buffer = new byte[window];
        while (read < window * 10)
        {
            read += await reading.ReadAsync(buffer, cancel);
        }

        long sent;
        do
        {
            sent = other.GetStatistics().BytesSent;
            await Task.Delay(300, cancel);
        }
        while (sent != other.GetStatistics().BytesSent);

        // Headers, probes of the path's size and what was lost and sent again count as well.
        Assert.IsLessThan(window * 2, sent - before - read);
        sending.Abort(QuicAbortDirection.Write, 0);
        await writing.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static async Task EchoAsync(QuicConnection one, QuicConnection other, CancellationToken cancel)
    {
        foreach ((QuicConnection from, QuicConnection to) in new[] { (one, other), (other, one) })
        {
            await using QuicStream sending = await from.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancel);
            await sending.WriteAsync(new byte[20_000], completeWrites: true, cancel);
            await using QuicStream reading = await to.AcceptInboundStreamAsync(cancel);
            await reading.CopyToAsync(Stream.Null, cancel);
        }
    }

    private static async Task UntilAsync(Func<bool> isSo, CancellationToken cancel)
    {
        while (!isSo())
        {
            await Task.Delay(10, cancel);
        }
    }

    private sealed record Effect(
        Func<QuicConnectionOptions, QuicConnectionOptions> Set, Func<QuicConnection, QuicConnection, CancellationToken, Task> Check);

    private sealed class OtherTime : TimeProvider;

    private sealed class Noting : QuicConnectionEvents
    {
        public bool IsComplete { get; private set; }

        public override void OnHandshakeComplete() => IsComplete = true;
    }

    private sealed class Closing(TaskCompletionSource<QuicException> closed) : QuicConnectionEvents
    {
        public override void OnClosed(QuicException reason) => closed.TrySetResult(reason);
    }
}
