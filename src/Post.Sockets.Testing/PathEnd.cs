using System.Net;

namespace Post.Sockets.Testing;

/// <summary>A path as one of its two ends knows it: addresses, state, measurements, and how much may be sent.</summary>
internal sealed class PathEnd(
    InMemoryPath path, InMemoryNetwork network, InMemoryConnection owner, SimulatedLink outLink, SimulatedLink inLink)
{
    /// <summary>Ideal senders let so many bytes wait in front of the link: enough that it is never idle.</summary>
    private const int StandingQueue = 2 * Packet.Size;

    private const int MinWindow = 2 * Packet.Size;

    // Notices of loss in a row, without an acknowledgement, after which a sender only probes. Even at a loss of 30% that is
    // one case in 15,000.
    private const int SuspectAfter = 8;

    // Where other paths work, two are enough: what is lost goes by those, and the path is asked whether it still comes through.
    private const int SuspectBesideOthers = 2;

    // Unanswered probes, each waiting twice as long as the one before, after which a path has failed.
    private const int FailedAfterProbes = 3;

    private static readonly long ExtraLossDelay = TimeSpan.FromMilliseconds(1).Ticks;

    private static readonly long MaxLossDelay = TimeSpan.FromSeconds(2).Ticks;

    private long _smoothedRtt;
    private long _latestRtt;
    private long _minRtt = long.MaxValue;
    private long _rttVariation;
    private long _recoveryStart = -1;
    private int _lostInRow;
    private int _backoff;
    private long _window = 10 * Packet.Size;
    private long _slowStartUntil = long.MaxValue;

    public InMemoryPath Path { get; } = path;

    public SimulatedLink Out { get; } = outLink;

    public SimulatedLink In { get; } = inLink;

    public InMemoryConnection Owner { get; } = owner;

    public EndPoint LocalEndPoint { get; private set; } = owner.IsClient ? path.ClientEndPoint : path.ServerEndPoint;

    public EndPoint RemoteEndPoint { get; private set; } = owner.IsClient ? path.ServerEndPoint : path.ClientEndPoint;

    public PostPathState State { get; set; } = PostPathState.Active;

    public long InFlight { get; private set; }

    public long BytesSent { get; private set; }

    public long BytesReceived { get; set; }

    public long PacketsSent { get; private set; }

    public long PacketsLost { get; private set; }

    public TimeSpan SmoothedRtt => TimeSpan.FromTicks(_smoothedRtt);

    public TimeSpan MinRtt => TimeSpan.FromTicks(_minRtt == long.MaxValue ? 0 : _minRtt);

    /// <summary>Losses in a row say that nothing comes through: one packet at a time asks whether that is still so.</summary>
    public bool IsSuspect => _lostInRow >= SuspectAfter || (HasLostInRow && Owner.HasOther(this));

    /// <summary>Enough was lost to leave it for another.</summary>
    public bool HasLostInRow => _lostInRow >= SuspectBesideOthers;

    /// <summary>One side wants it used only where no other works.</summary>
    public bool IsReserve { get; set; }

    /// <summary>How long after its departure a packet is known to be lost: a round trip and an eighth, doubled while nothing answers.</summary>
    public long LossDelayTicks
    {
        get
        {
            long roundTrip = Out.Settings.Delay.Ticks + In.Settings.Delay.Ticks + Out.Settings.Jitter.Ticks + In.Settings.Jitter.Ticks;
            return Math.Min((roundTrip + (roundTrip / 8) + ExtraLossDelay) << Math.Min(_backoff, 16), Math.Max(MaxLossDelay, roundTrip * 2));
        }
    }

    private bool IsReno => Out.Settings.Congestion == InMemoryCongestion.Reno;

    public bool CanSend()
    {
        if (IsSuspect)
        {
            return InFlight == 0;
        }

        if (IsReno)
        {
            return InFlight + Packet.Size <= _window;
        }

        return Out.Settings.BitsPerSecond == 0 || Out.Backlog + Packet.Size <= StandingQueue;
    }

    /// <summary>When <see cref="CanSend"/> may become true by the mere passing of time; -1 when it takes an event.</summary>
    public long WhenCanSend() => IsSuspect || IsReno ? -1 : Out.WhenBacklogIs(StandingQueue - Packet.Size);

    public void OnSent(Packet packet)
    {
        InFlight += packet.WireSize;
        BytesSent += packet.WireSize;
        PacketsSent++;
    }

    /// <summary>Looks where the peer's packets come from now; true when that changed.</summary>
    public bool RemoteMoved()
    {
        // The client never learns of its own new address, as behind a NAT.
        if (Owner.IsClient || ReferenceEquals(RemoteEndPoint, Path.ClientEndPoint))
        {
            return false;
        }

        RemoteEndPoint = Path.ClientEndPoint;
        return true;
    }

    /// <summary>The path was asked whether it comes through, and does.</summary>
    public void OnAnswer(long ticks)
    {
        _lostInRow = 0;
        _backoff = 0;
        OnRoundTrip(ticks);
    }

    public void OnRoundTrip(long ticks)
    {
        _latestRtt = ticks;
        _minRtt = Math.Min(_minRtt, ticks);
        if (_smoothedRtt == 0)
        {
            _smoothedRtt = ticks;
            _rttVariation = ticks / 2;
            return;
        }

        // RFC 9002 section 5.3.
        _rttVariation = ((3 * _rttVariation) + Math.Abs(_smoothedRtt - ticks)) / 4;
        _smoothedRtt = ((7 * _smoothedRtt) + ticks) / 8;
    }

    public void OnAcknowledged(Packet packet)
    {
        InFlight -= packet.WireSize;
        _lostInRow = 0;
        _backoff = 0;
        OnRoundTrip(network.Clock.NowTicks - packet.SentAt);
        if (packet.SentAt > _recoveryStart)
        {
            _window += _window < _slowStartUntil ? packet.WireSize : Packet.Size * (long)packet.WireSize / _window;
        }
    }

    /// <summary>Takes note of a loss; true when it makes the path failed.</summary>
    public bool OnLost(Packet packet)
    {
        InFlight -= packet.WireSize;
        PacketsLost++;
        _lostInRow++;
        if (IsSuspect)
        {
            _backoff++;
        }

        // Once a round trip, whatever number of packets it lost (RFC 9002 section 7.3.2).
        if (packet.SentAt > _recoveryStart)
        {
            _recoveryStart = network.Clock.NowTicks;
            _window = Math.Max(_window / 2, MinWindow);
            _slowStartUntil = _window;
        }

        return IsSuspect
            && State is PostPathState.Active or PostPathState.Standby
            && (_backoff > FailedAfterProbes || Owner.HasOther(this));
    }

    public long Window() => IsReno
        ? _window
        : Out.Settings.BitsPerSecond == 0
            ? 16 * 1024 * 1024
            : StandingQueue + (long)(Out.Settings.BitsPerSecond / 8.0 * Math.Max(_minRtt == long.MaxValue ? 0 : _minRtt, 1) / TimeSpan.TicksPerSecond);

    public long? Rate() => IsReno
        ? _smoothedRtt == 0 ? null : (long)(_window * 8.0 * TimeSpan.TicksPerSecond / _smoothedRtt)
        : Out.Settings.BitsPerSecond == 0 ? null : Out.Settings.BitsPerSecond;

    /// <summary>Reno sends what its window allows, at once; else the link is the bound.</summary>
    public long? MaximumRate() => IsReno || Out.Settings.BitsPerSecond == 0 ? null : Out.Settings.BitsPerSecond;

    public PostPath Snapshot(bool measured)
    {
        var basic = new PostPath
        {
            Id = Path.Id,
            LocalEndPoint = LocalEndPoint,
            RemoteEndPoint = RemoteEndPoint,
            State = State,
            InterfaceName = Owner.IsClient ? Path.InterfaceName : null,
            IsMetered = Owner.IsClient && Path.IsMetered,
        };
        return !measured ? basic : basic with
        {
            InterfaceName = basic.InterfaceName ?? "memory",
            SmoothedRtt = SmoothedRtt,
            MinRtt = MinRtt,
            LatestRtt = TimeSpan.FromTicks(_latestRtt),
            RttVariation = TimeSpan.FromTicks(_rttVariation),
            LossRate = PacketsSent == 0 ? 0 : (double)PacketsLost / PacketsSent,
            CongestionWindow = Window(),
            EstimatedRate = Rate(),
            Mtu = Packet.Size,
            IsEcnCapable = false,
            BytesSent = BytesSent,
            BytesReceived = BytesReceived,
        };
    }
}
