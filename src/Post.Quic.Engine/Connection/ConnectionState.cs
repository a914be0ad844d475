using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Congestion.Bbr;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What the rooms of one connection share: who they are, and the few facts that several of them need. Whatever takes
/// more than a line is done by the room whose job it is.
/// </summary>
internal sealed class ConnectionState
{
    /// <summary>RFC 9000 section 17.4: the spin bit is off on at least one in 16 connections.</summary>
    private const int SpinDisabledOneIn = 16;

    private readonly FrameOutcomes _outcomes;

    public ConnectionState(ConnectionSetup setup, bool isServer, QuicVersion version, long now)
    {
        Setup = setup;
        Settings = setup.Settings;
        Lanes.Default.Copies = Settings.Copies;
        Events = setup.Events;
        Random = setup.Random;
        Trace = setup.Trace;
        IsServer = isServer;
        Now = now;
        CreatedAt = now;
        Version = new VersionChoice(setup.Settings.Versions, version);
        Keys = new KeyStore(setup.Crypto);
        Crypto = new CryptoStreams(Pool);
        Idle = new IdleTimer(setup.Settings.MaxIdleTimeout, setup.Settings.KeepAliveInterval, now);
        Timers = new TimerTable();
        Lifecycle = new ConnectionLifecycle(this);
        Parameters = new PeerParameters(this);
        FrameWriter = new FrameWriter(this);
        Streams = CreateStreams();
        Datagrams = CreateDatagrams();
        _outcomes = new FrameOutcomes(this);
        Reachability = new Reachability(this);
        PathWatch = new PathWatch(this);
        Multipath = new Multipath(this);
        PathStatements = new PathStatements(this);
        PathSilence = new PathSilence(this);
        MultipathFrames = new MultipathFrames(this);
        FirstFlight = new FirstFlight(this);
        KeyUpdates = new KeyUpdates(this);
        Spins = Settings.SpinBit && Random.NextInt32(SpinDisabledOneIn) != 0;
        Paths = new PathTable(new PathHost(this), setup.Local, setup.Remote);
        Handshake = new HandshakeHost(this);
        Tls = setup.CreateTls(Handshake);
    }

    public ConnectionSetup Setup { get; }

    public ConnectionSettings Settings { get; private set; }

    public IConnectionEvents Events { get; }

    public RandomSource Random { get; }

    public ConnectionTrace? Trace { get; }

    public bool IsServer { get; }

    /// <summary>The time of the call in progress: TLS calls back without one.</summary>
    public long Now { get; set; }

    public long CreatedAt { get; }

    /// <summary>When a handshake that is not complete yet is given up.</summary>
    public long HandshakeDeadline =>
        Settings.HandshakeTimeout == long.MaxValue ? long.MaxValue : CreatedAt + Settings.HandshakeTimeout;

    public VersionChoice Version { get; }

    public KeyStore Keys { get; }

    public BlockPool Pool { get; } = new();

    public CryptoStreams Crypto { get; }

    /// <summary>What waits to be sent, by the paths that it may go by.</summary>
    public LaneTable Lanes { get; } = new();

    public PathTable Paths { get; }

    public PathWatch PathWatch { get; }

    public Multipath Multipath { get; }

    public PathStatements PathStatements { get; }

    public PathSilence PathSilence { get; }

    public MultipathFrames MultipathFrames { get; }

    public FirstFlight FirstFlight { get; }

    public Reachability Reachability { get; }

    public KeyUpdates KeyUpdates { get; }

    public ConnectionLifecycle Lifecycle { get; }

    public PeerParameters Parameters { get; }

    public HandshakeHost Handshake { get; }

    public TlsSession Tls { get; private set; }

    public StreamTable Streams { get; private set; }

    public DatagramQueue Datagrams { get; private set; }

    public FrameWriter FrameWriter { get; }

    public AckFrequencyRequest AckFrequency { get; } = new();

    public UndecryptablePackets Waiting { get; } = new();

    public Closing Closing { get; } = new();

    public ConnectionCounters Counters { get; } = new();

    /// <summary>A field: the struct is changed in place.</summary>
    public IdleTimer Idle;

    /// <summary>A field: the struct is changed in place.</summary>
    public TimerTable Timers;

    public ConnectionPhase Phase => Lifecycle.Phase;

    /// <summary>Nothing is processed or sent any more but the answers of a closing connection.</summary>
    public bool IsOver => Phase >= ConnectionPhase.Closing;

    public bool IsHandshakeComplete { get; set; }

    public bool IsHandshakeConfirmed { get; set; }

    public long HandshakeDuration { get; set; }

    public TransportParameters Peer => Parameters.Peer;

    /// <summary>An authentic packet of the peer's has been seen.</summary>
    public bool HasHeardPeer { get; set; }

    /// <summary>The source id of the peer's first Initial (RFC 9000 section 7.3).</summary>
    public ConnectionId PeerInitialSource { get; set; }

    /// <summary>The source id of our first Initial.</summary>
    public ConnectionId OwnInitialSource { get; set; }

    /// <summary>The destination id of the client's very first packet.</summary>
    public ConnectionId OriginalDestination { get; set; }

    /// <summary>What the Initial keys are derived from: the above, or after a Retry its source id.</summary>
    public ConnectionId InitialKeyId { get; set; }

    public ConnectionId? RetrySource { get; set; }

    /// <summary>Client: the token for Initial packets, of a Retry or of an earlier connection.</summary>
    public ReadOnlyMemory<byte> Token { get; set; }

    /// <summary>Keys to receive with were installed: packets that waited for them can be read.</summary>
    public bool HasNewReceiveKeys { get; set; }

    public bool HandshakeDoneToSend { get; set; }

    /// <summary>The spin bit follows the peer's; else it keeps the value it begins with.</summary>
    public bool Spins { get; }

    /// <summary>RFC 9001 section 4.9.1: a Handshake packet of the client's is being sent.</summary>
    public bool DiscardInitialAfterDatagram { get; set; }

    /// <summary>What a datagram over the network may hold.</summary>
    public int DatagramSize(Network network) => Math.Min(network.Transmission.Mtu.Current, Parameters.MtuLimit);

    /// <summary>The packet-number space of a level on a path; the handshake's are on the first.</summary>
    public PacketNumberSpace Space(EncryptionLevel level, Path path) => level.Space() is var id and not PacketNumberSpaceId.Application
        ? Paths.First.Recovery.Space(id)
        : path.Space;

    /// <summary>
    /// The extensions whose frames the peer may send. Those of multipath need the word of both sides; what comes of them before
    /// it is known is in the wrong packet.
    /// </summary>
    public FrameExtensions Extensions =>
        ParameterFactory.Extensions(Settings)
        | (Multipath.IsEnabled || (!IsHandshakeComplete && Parameters.OwnMaxPathId is not null)
            ? FrameExtensions.Multipath
            : FrameExtensions.None);

    /// <summary>Something with a deadline was to be sent.</summary>
    public bool HasDeadlines { get; private set; }

    /// <summary>0-RTT is what a client sends until it can send 1-RTT.</summary>
    public bool MaySend(EncryptionLevel level) =>
        level != EncryptionLevel.EarlyData || !Keys.CanSend(EncryptionLevel.Application);

    /// <summary>
    /// RFC 9000 section 10.2.3: until the handshake is confirmed, nobody knows which keys the peer has: all are used.
    /// </summary>
    public bool MayClose(EncryptionLevel level) =>
        level == EncryptionLevel.Application ? IsHandshakeComplete : !IsHandshakeConfirmed;

    /// <summary>
    /// Server: what was chosen for this client takes the place of what every client is met with. It comes before our
    /// transport parameters are written, so nothing has been promised and no stream exists.
    /// </summary>
    public void Reconfigure(ConnectionSettings settings, long now)
    {
        bool otherCongestion = settings.Congestion != Settings.Congestion;
        Settings = settings;
        Lanes.Default.Copies = settings.Copies;
        Idle = new IdleTimer(settings.MaxIdleTimeout, settings.KeepAliveInterval, now);
        Timers.Set(TimerId.Handshake, HandshakeDeadline);
        Paths.First.Space.Received.MaxAckDelay = settings.MaxAckDelay;
        Parameters.Renew();
        Paths.First.Network.Transmission.Ecn.Configure(settings.Ecn);
        if (otherCongestion)
        {
            UseCongestion(now);
        }

        Streams = CreateStreams();
        Datagrams = CreateDatagrams();
        if (Parameters.AreKnown)
        {
            _ = Parameters.Apply(Peer);
        }
    }

    /// <summary>Gives a new network its own measurements, window and size.</summary>
    public Transmission CreateTransmission(byte index)
    {
        var mtu = new MtuDiscovery(Parameters.MtuLimit);
        CongestionController congestion = CreateCongestion(mtu.Current);
        return new Transmission(index, congestion, mtu, Settings.Ecn);
    }

    /// <summary>
    /// What is to be sent has a deadline. A controller that takes each loss for congestion concedes too little for it on a lossy path, so that one
    /// goes on that goes by what the path delivers, unless the application chose another.
    /// </summary>
    public void OnDeadline(long now)
    {
        HasDeadlines = true;
        if (Settings.Congestion == CongestionAlgorithm.Auto)
        {
            UseCongestion(now);
        }
    }

    private void UseCongestion(long now)
    {
        foreach (Path path in Paths.Open)
        {
            foreach (Transmission transmission in path.Recovery.Transmissions)
            {
                transmission.Use(CreateCongestion(transmission.Congestion.MaxDatagramSize), now);
            }
        }
    }

    private CongestionController CreateCongestion(int datagramSize) => Settings.Congestion switch
    {
        CongestionAlgorithm.Auto when HasDeadlines => new BbrController(datagramSize, Random),
        CongestionAlgorithm.NewReno => new NewRenoController(datagramSize),
        CongestionAlgorithm.Bbr => new BbrController(datagramSize, Random),
        _ => new CubicController(datagramSize),
    };

    /// <summary>Gives a path its packet-number space and its recovery.</summary>
    public LossRecovery CreateRecovery(uint pathId, Transmission first)
    {
        var recovery = new LossRecovery(!IsServer, Random, _outcomes, first, pathId);
        recovery.Application.Received.MaxAckDelay = Settings.MaxAckDelay;
        return recovery;
    }

    public void CountDropped(int size, PacketDropReason reason, long now)
    {
        Counters.PacketsDropped.Add(reason);
        Trace?.PacketDropped(now, size, reason);
    }

    /// <summary>Keys of a level go, and with them all that was on its way under them (RFC 9001 section 4.9).</summary>
    public void DiscardLevel(EncryptionLevel level)
    {
        if (!Keys.Discard(level))
        {
            return;
        }

        Waiting.Discard(level);
        Trace?.KeysChanged(Now, level, discarded: true, generation: 0);
        if (level is EncryptionLevel.Initial or EncryptionLevel.Handshake)
        {
            Crypto.Discard(level);
            Paths.First.Recovery.DiscardSpace(Space(level, Paths.First), Now);
        }
    }

    /// <summary>Client: another TLS session, since the first one's hello named another version.</summary>
    public void RenewTls()
    {
        Tls.Dispose();
        Tls = Setup.CreateTls(Handshake);
    }

    /// <summary>What only traffic or the handshake needs goes back, until there is traffic again.</summary>
    public void Rest()
    {
        Tls.Rest();
        Streams.Rest();
        Datagrams.Rest();
        foreach (Path path in Paths.Open)
        {
            path.Recovery.Rest();
        }
    }

    /// <summary>All that is held goes back; nothing works afterwards.</summary>
    public void Release()
    {
        Keys.Dispose();
        Tls.Dispose();
        Waiting.Dispose();
        Paths.Dispose();
        Crypto.Discard(EncryptionLevel.Initial);
        Crypto.Discard(EncryptionLevel.Handshake);
        Crypto.Discard(EncryptionLevel.Application);
    }

    private StreamTable CreateStreams() => new(
        new StreamTableOptions
        {
            IsServer = IsServer,
            Lanes = Lanes,
            Announced = ParameterFactory.Credits(Parameters.Own),
            MaxConnectionWindow = Settings.MaxConnectionWindow,
            MaxStreamWindow = Settings.MaxStreamWindow,
            SendBufferSize = Settings.StreamSendBuffer,
        },
        Events,
        Pool);

    private DatagramQueue CreateDatagrams() => new(
        new DatagramQueueOptions { Lanes = Lanes }, Events);
}
