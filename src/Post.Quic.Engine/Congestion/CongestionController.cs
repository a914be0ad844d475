using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Congestion;

/// <summary>
/// How many bytes one path may have in flight (RFC 9002 section 7). What is common to all controllers stands here:
/// the bounds of the window and the recovery period; how the window moves is the derived class's job.
/// </summary>
/// <remarks>
/// One controller belongs to one path; a path that changes its address gets a new one (RFC 9000 section 9.4).
/// </remarks>
internal abstract class CongestionController
{
    private const int InitialWindowPackets = 10;
    private const int InitialWindowBytes = 14720;
    private const int MinimumWindowPackets = 2;

    private bool _sawCongestion;
    private bool _sawAck;
    private bool _canUndo;

    protected CongestionController(int maxDatagramSize)
    {
        MaxDatagramSize = maxDatagramSize;
        Window = InitialWindow;
    }

    /// <summary>The algorithm's name as qlog and statistics show it.</summary>
    public abstract string Name { get; }

    /// <summary>Bytes that may be in flight.</summary>
    public long Window { get; private set; }

    /// <summary>Where slow start ends; <see cref="long.MaxValue"/> until congestion was seen.</summary>
    public long SlowStartThreshold { get; protected set; } = long.MaxValue;

    /// <summary>The window still grows as fast as it may, to find out what the path carries.</summary>
    public virtual bool InSlowStart => Window < SlowStartThreshold;

    /// <summary>Little is sent on purpose, to see the round trip without a queue: what is delivered meanwhile says nothing of the path.</summary>
    public virtual bool IsProbingRoundTrip => false;

    public int MaxDatagramSize { get; private set; }

    /// <summary>RFC 9002 section 7.2: ten datagrams, but at most 14,720 bytes or two datagrams.</summary>
    public long InitialWindow =>
        Math.Min((long)InitialWindowPackets * MaxDatagramSize, Math.Max(InitialWindowBytes, 2L * MaxDatagramSize));

    /// <summary>RFC 9002 section 7.2.</summary>
    public long MinimumWindow => (long)MinimumWindowPackets * MaxDatagramSize;

    /// <summary>
    /// When the current recovery period began, <see cref="long.MinValue"/> before the first: packets sent up to then
    /// neither grow the window nor shrink it again (RFC 9002 section 7.3.2).
    /// </summary>
    public long RecoveryStartTime { get; private set; } = long.MinValue;

    public long CongestionEvents { get; private set; }

    public long PersistentCongestionEvents { get; private set; }

    public long SpuriousCongestionEvents { get; private set; }

    /// <summary>
    /// Bytes a second at which to spread the window; somewhat faster than window over round trip, so that pacing does
    /// not itself become the limit (RFC 9002 section 7.7).
    /// </summary>
    public virtual long PacingRate(long smoothedRtt)
    {
        // In slow start a whole window is sent for each half of it that was acknowledged.
        (int numerator, int denominator) = InSlowStart ? (2, 1) : (5, 4);
        return Window * 1_000_000 / Math.Max(smoothedRtt, 1) * numerator / denominator;
    }

    /// <summary>Goes on where another controller of the same network stopped, with its window.</summary>
    /// <param name="before">The other.</param>
    /// <param name="smoothedRtt">0 where none was measured.</param>
    public virtual void Continue(CongestionController before, long smoothedRtt)
    {
        MaxDatagramSize = before.MaxDatagramSize;
        SetWindow(before.Window);
        RecoveryStartTime = before.RecoveryStartTime;
        CongestionEvents = before.CongestionEvents;
        PersistentCongestionEvents = before.PersistentCongestionEvents;
        SpuriousCongestionEvents = before.SpuriousCongestionEvents;
        _sawCongestion = before._sawCongestion;
        _sawAck = before._sawAck;
    }

    /// <summary>A packet that counts towards bytes in flight was sent; <paramref name="bytesInFlight"/> includes it.</summary>
    public virtual void OnPacketSent(int size, long bytesInFlight, long now)
    {
    }

    /// <summary>
    /// Bytes a second that leave at most while more waits to be sent, as far as is known, whatever the pace is at this moment; 0 while that is
    /// still being found out.
    /// </summary>
    public virtual long MaximumRate(long smoothedRtt) => InSlowStart ? 0 : PacingRate(smoothedRtt);

    /// <summary>
    /// A packet is about to leave while nothing is in flight, after the application had nothing to send. Where this changes
    /// <see cref="PacingRate"/>, the new rate holds from this packet on.
    /// </summary>
    public virtual void OnRestart(long now)
    {
    }

    /// <summary>A packet was taken for lost; called before the losses that are detected together begin a recovery period.</summary>
    public virtual void OnPacketLost(in LossSample loss)
    {
    }

    /// <summary>The machine stood still for so long: that is no time in which a window could have grown.</summary>
    public virtual void OnStall(long duration)
    {
    }

    /// <summary>An ACK frame was processed, losses it revealed included.</summary>
    public void OnAcked(in AckSample sample)
    {
        _sawAck = true;
        OnAckedCore(sample);
    }

    /// <summary>
    /// A packet sent at <paramref name="sentTime"/> was lost or marked by a router. Starts a recovery period, unless
    /// one was under way when the packet was sent.
    /// </summary>
    /// <returns>Whether a recovery period began.</returns>
    public bool OnCongestionEvent(long sentTime, long now, bool ecn)
    {
        if (sentTime <= RecoveryStartTime)
        {
            return false;
        }

        RecoveryStartTime = now;
        CongestionEvents++;
        _sawCongestion = true;

        // A mark is the network's own word; only losses can turn out not to have happened.
        _canUndo = !ecn;
        if (_canUndo)
        {
            SaveState();
        }

        OnCongestionCore(now, ecn);
        return true;
    }

    /// <summary>
    /// RFC 9002 section 7.6.2: everything sent over several probe timeouts was lost. The window falls to its minimum
    /// and slow start begins again.
    /// </summary>
    public void OnPersistentCongestion(long now)
    {
        PersistentCongestionEvents++;
        _canUndo = false;
        RecoveryStartTime = long.MinValue;
        OnPersistentCongestionCore(now);
        SetWindow(MinimumWindow);
    }

    /// <summary>Every loss of the last congestion event arrived after all: the window comes back as it was.</summary>
    public void OnSpuriousCongestion()
    {
        if (!_canUndo)
        {
            return;
        }

        _canUndo = false;
        SpuriousCongestionEvents++;
        RestoreState();
        RecoveryStartTime = long.MinValue;
    }

    /// <summary>RFC 9002 section 7.2: the windows follow the datagram size; one that was never used starts anew.</summary>
    public void SetMaxDatagramSize(int maxDatagramSize)
    {
        MaxDatagramSize = maxDatagramSize;
        SetWindow(_sawAck || _sawCongestion ? Window : InitialWindow);
    }

    protected abstract void OnAckedCore(in AckSample sample);

    protected abstract void OnCongestionCore(long now, bool ecn);

    protected abstract void OnPersistentCongestionCore(long now);

    /// <summary>Keeps what <see cref="RestoreState"/> needs, before the window shrinks.</summary>
    protected abstract void SaveState();

    protected abstract void RestoreState();

    /// <summary>Sets the window within its bounds.</summary>
    protected void SetWindow(long window) =>
        Window = Math.Clamp(window, MinimumWindow, Math.Max(MinimumWindow, Limits.CongestionWindow));
}
