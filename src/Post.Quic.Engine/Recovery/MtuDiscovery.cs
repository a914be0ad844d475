namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Finds the largest datagram a path carries (DPLPMTUD, RFC 8899 as RFC 9000 section 14.3 applies it): probes of
/// growing size, each a packet of its own whose loss is no sign of congestion, and a way back when a path that
/// carried large datagrams swallows them. Sizes are UDP payload bytes.
/// </summary>
/// <remarks>
/// The largest allowed size is tried first, once: on loopback and on an Ethernet whose size is known that ends the
/// search in one round trip. Otherwise the sizes that networks really have are tried from below, and only between
/// a size that works and one that does not the rest is found by halving.
/// </remarks>
internal sealed class MtuDiscovery
{
    /// <summary>RFC 9000 section 14: every path of QUIC carries this.</summary>
    public const int BaseSize = 1200;

    // RFC 8899 section 5.1.2.
    private const int MaxProbes = 3;
    private const long RaiseTime = 600_000_000;

    // After datagrams vanished the search starts again much sooner than after a search that ended well: several unlucky
    // losses look the same, and a path that became narrower still carries more than the base. RFC 8899 section 5.2 lets it
    // start at once; the pause, longer each time, spares a path that is congested or that changes back and forth.
    private const long FirstBlackHoleTime = 10_000_000;
    private const long LongestBlackHoleTime = 50_000_000;

    // Losses of large datagrams that nothing large and newer contradicts: at so many separate times, they are not
    // congestion.
    private const int BlackHoleEvents = 3;

    // Search ends when less than this could be won.
    private const int Resolution = 16;

    // IPv6's minimum; tunnels and PPPoE; Ethernet with IPv6 and IPv4; jumbo frames; the loopback interface.
    private static readonly int[] UsualSizes = [1232, 1280, 1392, 1452, 1472, 4052, 8952, 8972, 65487, 65507, 65527];

    private int _limit;
    private int _failed;
    private int _lastUsual;
    private bool _triedLimit;
    private bool _betweenSizes;
    private int _candidate;
    private int _tries;
    private bool _probeInFlight;
    private long _raiseAt = long.MaxValue;
    private long _blackHoleTime = FirstBlackHoleTime;
    private int _suspiciousEvents;
    private long _suspiciousSince = long.MaxValue;
    private long _newestSmallAcked = long.MinValue;
    private long _newestLargeAcked = long.MinValue;
    private long _lastSuspiciousEvent = long.MinValue;

    /// <param name="limit">The largest size ever to be used: of the interface, of our buffers.</param>
    /// <param name="enabled">False keeps to the base size.</param>
    public MtuDiscovery(int limit, bool enabled = true)
    {
        IsEnabled = enabled;
        _limit = enabled ? Math.Max(limit, BaseSize) : BaseSize;
        Restart();
    }

    public bool IsEnabled { get; }

    /// <summary>The largest size known to arrive: what packets are built for.</summary>
    public int Current { get; private set; } = BaseSize;

    /// <summary>How often datagrams of the current size began to vanish.</summary>
    public int BlackHoles { get; private set; }

    /// <summary>When the search starts again; nothing need happen then but that <see cref="NextProbe"/> is asked.</summary>
    public long NextTimeout => _raiseAt;

    /// <summary>
    /// Lowers the limit to the peer's max_udp_payload_size, or sets that of another interface.
    /// </summary>
    public void SetLimit(int limit)
    {
        _limit = IsEnabled ? Math.Max(limit, BaseSize) : BaseSize;
        if (Current > _limit)
        {
            Current = _limit;
        }

        Restart();
    }

    /// <summary>
    /// The size of the probe to send now, PING and padding, ack-eliciting and flagged as MTU probe; 0 for none.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="most">
    /// What may be sent at once: a probe larger than the congestion window could overrun the path all by itself. Where the
    /// largest size has to wait for a wider window, usual sizes that fit are tried meanwhile.
    /// </param>
    public int NextProbe(long now, long most = long.MaxValue)
    {
        if (now >= _raiseAt)
        {
            Restart();
        }

        if (_probeInFlight || _raiseAt != long.MaxValue)
        {
            return 0;
        }

        if (_candidate > most && !_triedLimit && NextUsual() is var usual and not 0)
        {
            _candidate = usual;
        }

        return _candidate <= most ? _candidate : 0;
    }

    public void OnProbeSent() => _probeInFlight = true;

    public void OnProbeAcked(int size, long now)
    {
        _probeInFlight = false;
        if (size > Current && size <= _limit)
        {
            Current = size;
            _newestLargeAcked = long.MinValue;
            ForgetSuspicion();
        }

        _tries = 0;
        _triedLimit |= size >= _limit;
        Advance(now);
    }

    public void OnProbeLost(int size, long now)
    {
        // The loss of one that was given up already: another may be on its way by now.
        if (size != _candidate || !_probeInFlight)
        {
            return;
        }

        // RFC 8899 section 5.1.2: a size is given up after three probes. The optimistic first one has one only.
        _probeInFlight = false;
        _tries++;
        if (!_triedLimit && size == _limit)
        {
            GiveUp(size + 1, now);
        }
        else if (_tries >= MaxProbes)
        {
            GiveUp(size, now);
        }
    }

    /// <summary>
    /// This machine would not send a datagram of that size (EMSGSIZE): its interface tells at once what probes would find
    /// out slowly.
    /// </summary>
    public void OnRefused(int size, long now)
    {
        if (size == _candidate && _probeInFlight)
        {
            _probeInFlight = false;
            GiveUp(size, now);
        }
        else if (size > BaseSize && size <= Current)
        {
            // Not a probe: the interface has become narrower under a path that carried this, and nothing of it goes out.
            FallBack(now);
        }
    }

    /// <summary>A packet other than a probe was acknowledged.</summary>
    public void OnPacketAcked(int size, long sentTime)
    {
        if (size > BaseSize)
        {
            _newestLargeAcked = Math.Max(_newestLargeAcked, sentTime);
            if (sentTime >= _suspiciousSince)
            {
                ForgetSuspicion();
            }
        }
        else
        {
            _newestSmallAcked = Math.Max(_newestSmallAcked, sentTime);
        }
    }

    /// <summary>
    /// A packet other than a probe was lost. Called after everything the same ACK acknowledged.
    /// </summary>
    public void OnPacketLost(int size, long sentTime, long now)
    {
        // RFC 8899 section 4.3: large datagrams vanish while small ones that were sent later arrive.
        if (size > BaseSize && sentTime > _newestLargeAcked && sentTime < _newestSmallAcked && now != _lastSuspiciousEvent)
        {
            _lastSuspiciousEvent = now;
            _suspiciousSince = Math.Min(_suspiciousSince, sentTime);
            _suspiciousEvents++;
        }
    }

    /// <summary>
    /// Asked after each ACK's losses: whether the path has become a black hole for large datagrams. Then the size has
    /// fallen back to the base.
    /// </summary>
    public bool DetectBlackHole(long now)
    {
        if (_suspiciousEvents < BlackHoleEvents || Current == BaseSize)
        {
            return false;
        }

        FallBack(now);
        return true;
    }

    private void FallBack(long now)
    {
        BlackHoles++;
        Current = BaseSize;
        ForgetSuspicion();
        _newestLargeAcked = long.MinValue;
        _probeInFlight = false;
        _candidate = 0;
        _raiseAt = now + _blackHoleTime;
        _blackHoleTime = Math.Min(_blackHoleTime * 2, LongestBlackHoleTime);
    }

    private void ForgetSuspicion()
    {
        _suspiciousEvents = 0;
        _suspiciousSince = long.MaxValue;
    }

    private void Restart()
    {
        _raiseAt = long.MaxValue;
        _failed = _limit + 1;
        _triedLimit = false;
        _betweenSizes = false;
        _lastUsual = Current;
        _tries = 0;
        _candidate = _limit > Current ? _limit : 0;
    }

    private void GiveUp(int failed, long now)
    {
        _tries = 0;
        _triedLimit = true;
        _failed = Math.Min(_failed, failed);
        Advance(now);
    }

    private void Advance(long now)
    {
        _candidate = _triedLimit ? Choose() : _limit;
        if (_candidate == 0 && Current < _limit)
        {
            // RFC 8899 section 5.3.3: the path may have changed for the better.
            _raiseAt = now + RaiseTime;
        }
    }

    private int NextUsual()
    {
        foreach (int size in UsualSizes)
        {
            if (size > Current && size < _failed && size <= _limit)
            {
                return size;
            }
        }

        return 0;
    }

    private int Choose()
    {
        if (_failed - Current <= 1)
        {
            return 0;
        }

        if (!_betweenSizes)
        {
            if (NextUsual() is var usual and not 0)
            {
                return usual;
            }

            // No usual size is left between what works and what does not. Mostly that is the whole truth: one probe
            // just above what works tells whether halving is worth while.
            _betweenSizes = true;
            _lastUsual = Current;
        }

        if (_failed - Current <= Resolution)
        {
            return 0;
        }

        return Current == _lastUsual ? Current + Resolution : Current + ((_failed - Current) / 2);
    }
}
