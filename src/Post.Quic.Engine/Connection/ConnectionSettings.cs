using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What the layer above decides about a connection, checked and in the engine's units: microseconds and bytes. One
/// instance may serve many connections; it does not change once a connection has it.
/// </summary>
internal sealed record ConnectionSettings
{
    public static ConnectionSettings Default { get; } = new();

    /// <summary>
    /// With what a server meets a client whose options it does not know yet: nothing is done that they could forbid. All else is
    /// told to the client, or used, only after them.
    /// </summary>
    public static ConnectionSettings BeforeOptions { get; } = new() { Ecn = false };

    /// <summary>The versions spoken, the preferred one first.</summary>
    public IReadOnlyList<QuicVersion> Versions { get; init; } = [QuicVersion.Version1, QuicVersion.Version2];

    /// <summary>
    /// The version of a client's first packet. Version 1 even where version 2 is preferred: every server knows it, and
    /// compatible negotiation (RFC 9368 section 2.3) reaches the preferred one without a round trip.
    /// </summary>
    public QuicVersion FirstVersion { get; init; } = QuicVersion.Version1;

    /// <summary>RFC 9000 section 10.1; <see cref="long.MaxValue"/> for none.</summary>
    public long MaxIdleTimeout { get; init; } = 30_000_000;

    /// <summary>A PING after so much silence; <see cref="long.MaxValue"/> for none.</summary>
    public long KeepAliveInterval { get; init; } = long.MaxValue;

    /// <summary>How long a handshake may take; <see cref="long.MaxValue"/> for as long as it takes.</summary>
    public long HandshakeTimeout { get; init; } = 10_000_000;

    /// <summary>The connection's first receive window.</summary>
    public ulong InitialMaxData { get; init; } = 1 << 20;

    /// <summary>The first receive window of a stream, of any kind.</summary>
    public ulong InitialMaxStreamData { get; init; } = 256 << 10;

    /// <summary>To where the windows may grow by the measured bandwidth-delay product.</summary>
    public ulong MaxConnectionWindow { get; init; } = 24 << 20;

    public ulong MaxStreamWindow { get; init; } = 16 << 20;

    public ulong MaxBidirectionalStreams { get; init; } = 100;

    public ulong MaxUnidirectionalStreams { get; init; } = 100;

    /// <summary>The largest DATAGRAM frame taken (RFC 9221); 0 refuses datagrams.</summary>
    public ulong MaxDatagramFrameSize { get; init; } = 65535;

    /// <summary>How many of our connection ids the peer may hold at most, and how many of the peer's we hold.</summary>
    public ulong ActiveConnectionIdLimit { get; init; } = 8;

    public bool DisableActiveMigration { get; init; }

    /// <summary>Paths that may be used at once, the first included; 1 for no multipath.</summary>
    public int MaxPaths { get; init; } = 1;

    /// <summary>A path that is silent for so long is given up while another works; <see cref="long.MaxValue"/> for never.</summary>
    public long PathIdleTimeout { get; init; } = long.MaxValue;

    /// <summary>Decides by which of several paths what is sent goes.</summary>
    public Func<IPathScheduler> PathScheduler { get; init; } = static () => new EarliestCompletionScheduler();

    /// <summary>On how many paths at a time goes what is bound to nothing; at least 1.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>Client: move to the server's preferred address once the handshake is confirmed (RFC 9000 section 9.6).</summary>
    public bool FollowPreferredAddress { get; init; } = true;

    /// <summary>How long an acknowledgement of ours may wait.</summary>
    public long MaxAckDelay { get; init; } = 25_000;

    /// <summary>The largest UDP payload we can receive.</summary>
    public int MaxUdpPayloadSize { get; init; } = 65527;

    /// <summary>The largest UDP payload that MTU discovery tries.</summary>
    public int MaxMtu { get; init; } = 1452;

    public bool Ecn { get; init; } = true;

    public CongestionAlgorithm Congestion { get; init; } = CongestionAlgorithm.Auto;

    /// <summary>Copied bytes of one stream that may wait for their acknowledgement.</summary>
    public int StreamSendBuffer { get; init; } = 1 << 20;

    /// <summary>The spin bit of packets lets an observer measure the round trip (RFC 9000 section 17.4).</summary>
    public bool SpinBit { get; init; }

    /// <summary>RFC 9287: the fixed bit may be anything in packets to us, and is so in ours when the peer agrees.</summary>
    public bool GreaseQuicBit { get; init; } = true;

    /// <summary>Packets under one set of 1-RTT keys before we update them; the AEAD's own limit holds anyway.</summary>
    public ulong KeyUpdateInterval { get; init; } = 1UL << 22;
}
