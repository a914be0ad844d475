namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// What BBR knows of the path (draft-ietf-ccwg-bbr section 5.5), and the volumes that follow from it. Times are microseconds, sizes
/// bytes, rates bytes a second.
/// </summary>
internal sealed class BbrModel
{
    /// <summary>No limit is known.</summary>
    public const long Unlimited = long.MaxValue;

    // Fields: the structs are changed in place.
    public BbrRounds Rounds;
    public MaxBandwidth MaxBandwidth;
    public FullPipe FullPipe;
    public MinimumRtt MinimumRtt;
    public AckAggregation Aggregation;
    public ShortTermModel ShortTerm = new();
    public LongTermModel LongTerm = new();

    private long _savedWindow;

    /// <summary>C.cwnd.</summary>
    public long Window { get; set; }

    /// <summary>C.SMSS.</summary>
    public int DatagramSize { get; set; }

    /// <summary>C.InitialCwnd.</summary>
    public long InitialWindow { get; set; }

    /// <summary>C.send_quantum, which is the offload budget of QUIC, too (section 5.5.8.2).</summary>
    public long Quantum { get; set; }

    /// <summary>BBR.bw: what the path carries, as far as is known.</summary>
    public long Bandwidth { get; private set; }

    /// <summary>BBR.MinPipeCwnd.</summary>
    public long MinimumWindow => (long)BbrConstants.MinimumWindowPackets * DatagramSize;

    /// <summary>TargetInflight: what is wanted in flight, unless congestion made the window smaller.</summary>
    public long Target => Math.Min(BandwidthDelay(1), Window);

    /// <summary>The window of the state <see cref="BbrState.ProbeRtt"/> (section 5.6.4.5).</summary>
    public long ProbeRttWindow => Math.Max(BandwidthDelay(BbrConstants.ProbeRttWindowGain), MinimumWindow);

    /// <summary>What precedes the state machine in UpdateModelAndState (section 5.2.3).</summary>
    public void OnAcked(in AckSample sample, BbrState state)
    {
        ShortTerm.OnAcked(sample.Delivery);
        Rounds.OnAcked(sample.Delivery);
        MaxBandwidth.Add(sample.Delivery);
        ShortTerm.Adapt(state.IsAccelerating(), MaxBandwidth.Value, Window);

        // Section 5.5.9: in Startup, a round trip is all that is looked back on.
        int rounds = FullPipe.WasReached ? BbrConstants.ExtraAckedRounds : 1;
        Aggregation.OnAcked(sample, Bandwidth, Window, Rounds.Count, rounds);
        FullPipe.Check(sample.Delivery, Rounds.IsStart);
    }

    /// <summary>What follows the state machine there: AdvanceLatestDeliverySignals and BoundBWForModel.</summary>
    public void EndAck(in AckSample sample)
    {
        ShortTerm.Advance(sample.Delivery);
        Bandwidth = Math.Min(MaxBandwidth.Value, ShortTerm.Bandwidth);
    }

    /// <summary>BDPMultiple (section 5.6.4.2), of <see cref="Bandwidth"/>.</summary>
    public long BandwidthDelay(double gain) => BandwidthDelay(gain, Bandwidth);

    /// <summary>Inflight (section 5.6.4.2) for a bandwidth.</summary>
    public long Inflight(double gain, long bandwidth, BbrState state) => WithQuanta(BandwidthDelay(gain, bandwidth), state);

    /// <summary>BBR.max_inflight (section 5.6.4.2).</summary>
    public long MaximumInflight(BbrState state) =>
        WithQuanta(BandwidthDelay(state.WindowGain()) + Aggregation.Extra, state);

    /// <summary>The most that the model allows in a state (section 5.6.4.7); at least the minimum.</summary>
    public long Bound(BbrState state)
    {
        long bound = state switch
        {
            BbrState.Cruise or BbrState.ProbeRtt => LongTerm.WithHeadroom(DatagramSize),
            _ when state.IsProbeBandwidth() => LongTerm.Inflight,
            _ => Unlimited,
        };
        return Math.Max(Math.Min(bound, ShortTerm.Inflight), MinimumWindow);
    }

    /// <summary>SaveCwnd (section 5.6.4.4): remembers the last window that neither a loss nor the state made smaller.</summary>
    public void SaveWindow(bool isReduced) => _savedWindow = isReduced ? Math.Max(_savedWindow, Window) : Window;

    /// <summary>RestoreCwnd.</summary>
    public void RestoreWindow() => Window = Math.Max(Window, _savedWindow);

    /// <summary>Nothing is to be restored: the path may have become another.</summary>
    public void ForgetWindow() => _savedWindow = 0;

    // The product may be large, and no bit of it is worth more than what floating point keeps.
    private long BandwidthDelay(double gain, long bandwidth) =>
        MinimumRtt.Value == MinimumRtt.Unknown ? InitialWindow : (long)(gain * bandwidth * MinimumRtt.Value / 1e6);

    // QuantizationBudget.
    private long WithQuanta(long inflight, BbrState state)
    {
        inflight = Math.Max(Math.Max(inflight, Quantum), MinimumWindow);
        return state == BbrState.Up ? inflight + (2L * DatagramSize) : inflight;
    }
}
