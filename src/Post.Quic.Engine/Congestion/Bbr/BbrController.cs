using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// BBRv3 (draft-ietf-ccwg-bbr): goes by what the path delivered and not by single losses. What it knows stands in
/// <see cref="BbrModel"/>, the states are those of <see cref="BbrMachine"/>; here both become a window and a rate (section 5.6).
/// </summary>
internal sealed class BbrController : CongestionController
{
    private readonly BbrModel _model = new();
    private readonly BbrMachine _machine;
    private ulong _totalDelivered;
    private long _pacingRate;
    private long _recoveryEnd = long.MinValue;
    private long _silenceEnd = long.MinValue;
    private bool _isStarted;
    private bool _isRatePaced;
    private bool _isMarked;
    private bool _isSaved;

    /// <param name="maxDatagramSize">Bytes of a datagram.</param>
    /// <param name="random">For the times at which more is tried.</param>
    public BbrController(int maxDatagramSize, RandomSource random)
        : base(maxDatagramSize)
    {
        _machine = new BbrMachine(_model, random);
        _model.MinimumRtt = new MinimumRtt(MinimumRtt.Unknown, 0);
        Synchronize();
        _pacingRate = InitialRate(BbrConstants.AssumedRtt);
    }

    public override string Name => "bbr3";

    public override bool InSlowStart => _machine.State == BbrState.Startup;

    public override bool IsProbingRoundTrip => _machine.State == BbrState.ProbeRtt;

    public BbrState State => _machine.State;

    /// <summary>What is known of the path.</summary>
    public BbrModel Model => _model;

    /// <summary>Section 5.6.2.</summary>
    public override long PacingRate(long smoothedRtt) => _pacingRate;

    public override long MaximumRate(long smoothedRtt) => InSlowStart ? 0 : _model.MaxBandwidth.Value;

    public override void Continue(CongestionController before, long smoothedRtt)
    {
        base.Continue(before, smoothedRtt);
        if (smoothedRtt != 0)
        {
            _isRatePaced = true;
            _pacingRate = InitialRate(smoothedRtt);
        }
    }

    /// <summary>HandleRestartFromIdle (section 5.4.1).</summary>
    public override void OnRestart(long now)
    {
        if (!_isStarted)
        {
            return;
        }

        Synchronize();
        _machine.OnRestart(_totalDelivered, now);
        _model.Aggregation.Begin(now);
        if (State.IsProbeBandwidth())
        {
            SetPacingRate(1);
        }

        SetWindow(_model.Window);
    }

    public override void OnPacketLost(in LossSample loss)
    {
        Synchronize();
        if (loss.TimeSent > RecoveryStartTime && !_isSaved)
        {
            // The first of those with which a recovery period begins. OnEnterFastRecovery (section 5.6.4.4).
            _isSaved = true;
            _model.SaveWindow(isReduced: _recoveryEnd != long.MinValue || State == BbrState.ProbeRtt);
            _machine.SaveForUndo();
        }

        _machine.OnLost(loss);
    }

    public override void OnStall(long duration)
    {
        _model.MinimumRtt.OnStall(duration);
        _machine.OnStall(duration);
    }

    protected override void OnAckedCore(in AckSample sample)
    {
        Synchronize();
        Start(sample);
        _isSaved = false;
        _totalDelivered = sample.Delivery.TotalDelivered;
        if (sample.NewestSentTime > _recoveryEnd && _recoveryEnd != long.MinValue)
        {
            // Section 5.6.4.4: the recovery is over.
            _recoveryEnd = long.MinValue;
            _model.RestoreWindow();
        }

        if (_isMarked)
        {
            _isMarked = false;
            _machine.OnMarked(sample);
        }

        _model.OnAcked(sample, State);
        _machine.OnAcked(sample);
        _model.EndAck(sample);
        SetPacingRate(State.PacingGain());
        SetQuantum();
        SetWindow(WindowFor(sample));
    }

    protected override void OnCongestionCore(long now, bool ecn)
    {
        // A loss has told all it has to tell. What a mark says is known when the acknowledgement that came with it has been read.
        _isMarked |= ecn;
        _isSaved = false;
        _recoveryEnd = now;
    }

    /// <summary>
    /// Section 5.6.4.4 says how the window falls after a retransmission timeout; RFC 9002 section 7.6.2 says it for QUIC. It grows again as
    /// acknowledgements of later packets come, and does not go back to where it was: the path may have become another.
    /// </summary>
    protected override void OnPersistentCongestionCore(long now)
    {
        _recoveryEnd = long.MinValue;
        _silenceEnd = now;
        _model.ForgetWindow();
    }

    protected override void SaveState()
    {
        // Was done at the first loss, before it changed anything.
    }

    /// <summary>HandleSpuriousLossDetection (section 5.5.11.2).</summary>
    protected override void RestoreState()
    {
        Synchronize();
        _recoveryEnd = long.MinValue;
        _model.RestoreWindow();
        _machine.OnSpuriousLoss(_totalDelivered);
        SetWindow(_model.Window);
    }

    private void Synchronize()
    {
        _model.Window = Window;
        _model.DatagramSize = MaxDatagramSize;
        _model.InitialWindow = InitialWindow;
    }

    /// <summary>Section 5.2.1, where the clock and a round trip are needed that were not known when this was made.</summary>
    private void Start(in AckSample sample)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _model.MinimumRtt = new MinimumRtt(MinimumRtt.Unknown, sample.Now);
            _model.Aggregation.Begin(sample.Now);
        }

        if (!_isRatePaced && sample.RttSample != 0)
        {
            // Section 5.6.2: the first round trip makes a rate of the window.
            _isRatePaced = true;
            _pacingRate = InitialRate(sample.SmoothedRtt);
        }
    }

    private long InitialRate(long roundTrip) =>
        (long)(BbrConstants.StartupPacingGain * Window * 1_000_000 / Math.Max(roundTrip, 1));

    /// <summary>SetPacingRateWithGain (section 5.6.2).</summary>
    private void SetPacingRate(double gain)
    {
        long rate = (long)(gain * _model.Bandwidth * BbrConstants.PacingMargin);
        if (rate > 0 && (_model.FullPipe.WasReached || rate > _pacingRate))
        {
            _pacingRate = rate;
        }
    }

    /// <summary>SetSendQuantum (section 5.6.3).</summary>
    private void SetQuantum()
    {
        long quantum = (long)(_pacingRate * (BbrConstants.QuantumTime / 1e6));
        _model.Quantum = Math.Max(
            Math.Min(quantum, BbrConstants.LargestQuantum), (long)BbrConstants.SmallestQuantumPackets * MaxDatagramSize);
    }

    /// <summary>SetCwnd (section 5.6.4.6).</summary>
    private long WindowFor(in AckSample sample)
    {
        long window = _model.Window;
        long acked = sample.NewestSentTime > _silenceEnd ? sample.AckedBytes : 0;
        long most = _model.MaximumInflight(State);
        if (_model.FullPipe.WasReached)
        {
            window = Math.Min(window + acked, most);
        }
        else if (window < most || _totalDelivered < (ulong)InitialWindow)
        {
            window += acked;
        }

        window = acked == 0 ? window : Math.Max(window, _model.MinimumWindow);
        if (State == BbrState.ProbeRtt)
        {
            window = Math.Min(window, _model.ProbeRttWindow);
        }

        return Math.Min(window, _model.Bound(State));
    }
}
