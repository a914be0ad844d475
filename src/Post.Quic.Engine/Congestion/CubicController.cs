namespace Post.Quic.Engine.Congestion;

/// <summary>CUBIC (RFC 9438) with HyStart++ for its slow start (RFC 9406).</summary>
internal sealed class CubicController : CongestionController
{
    // RFC 9438 section 4.1 and 4.6.
    private const double C = 0.4;
    private const double Beta = 0.7;

    // RFC 9438 section 4.3: grows the Reno-friendly estimate as fast on average as Reno would with its own factor.
    private const double RenoAlpha = 3 * (1 - Beta) / (1 + Beta);

    private readonly HyStart _hyStart = new();
    private State _state = State.Fresh;
    private State _saved;
    private long _savedWindow;
    private long _savedThreshold;
    private long _lastAckTime;

    // What a whole byte has not yet been made of.
    private double _fraction;

    public CubicController(int maxDatagramSize)
        : base(maxDatagramSize)
    {
    }

    public override string Name => "cubic";

    /// <summary>In the conservative phase of HyStart++.</summary>
    public bool IsSlowStartConservative => InSlowStart && _hyStart.IsConservative;

    /// <summary>RFC 9438 section 4.2: seconds from the start of the epoch until the window is back at its maximum.</summary>
    public double K => _state.K;

    public override void OnStall(long duration)
    {
        _state.EpochStart += duration;
        _lastAckTime += duration;
    }

    protected override void OnAckedCore(in AckSample sample)
    {
        if (InSlowStart)
        {
            GrowSlowStart(sample);
        }
        else
        {
            GrowAvoidance(sample);
        }

        _lastAckTime = sample.Now;
    }

    protected override void OnCongestionCore(long now, bool ecn)
    {
        // RFC 9438 section 4.7, fast convergence: a window below the last maximum means that the path has become
        // narrower, so newcomers get some of ours.
        _state.WMax = Window < _state.WMax ? Window * (1 + Beta) / 2 : Window;
        _state.PriorWindow = Window;
        _state.HasEpoch = false;
        _fraction = 0;

        // RFC 9438 section 4.6. The window stands for the flight size, since it grows only while it is used.
        SlowStartThreshold = Math.Max((long)(Window * Beta), MinimumWindow);
        SetWindow(SlowStartThreshold);
    }

    protected override void OnPersistentCongestionCore(long now)
    {
        // RFC 9438 section 4.8: like a timeout. The next epoch takes its maximum from where slow start ends.
        _state = State.Fresh;
        _fraction = 0;
        _hyStart.Reset();
    }

    protected override void SaveState() =>
        (_saved, _savedWindow, _savedThreshold) = (_state, Window, SlowStartThreshold);

    protected override void RestoreState()
    {
        // RFC 9438 section 4.9.2: what the false alarm took away. The epoch's clock goes on, as if it had not rung.
        if (Window < _savedWindow)
        {
            _state = _saved;
            SlowStartThreshold = _savedThreshold;
            SetWindow(_savedWindow);
        }
    }

    private void GrowSlowStart(in AckSample sample)
    {
        long growth = _hyStart.OnAcked(sample, out bool leave);
        SetWindow(Math.Min(Window + growth, SlowStartThreshold));
        if (leave)
        {
            SlowStartThreshold = Window;
        }
    }

    private void GrowAvoidance(in AckSample sample)
    {
        if (!_state.HasEpoch)
        {
            StartEpoch(sample.Now);
        }
        else if (sample.GrowthBytes == 0)
        {
            // RFC 9438 section 5.8: time in which the application did not use the window does not count, or the
            // window would jump when it comes back.
            _state.EpochStart += sample.Now - _lastAckTime;
        }

        if (sample.GrowthBytes == 0)
        {
            return;
        }

        double window = Window + _fraction;
        double size = MaxDatagramSize;
        double elapsed = (sample.Now - _state.EpochStart) / 1e6;

        // RFC 9438 section 4.3.
        double alpha = _state.Estimate >= _state.PriorWindow ? 1 : RenoAlpha;
        _state.Estimate += alpha * size * sample.GrowthBytes / window;

        if (CubicWindow(elapsed) < _state.Estimate)
        {
            window = Math.Max(window, _state.Estimate);
        }
        else
        {
            // RFC 9438 section 4.2: where the curve will be a round trip from now, but at most half as much again.
            double target = Math.Clamp(CubicWindow(elapsed + (sample.SmoothedRtt / 1e6)), window, 1.5 * window);
            window += (target - window) / window * sample.GrowthBytes;
        }

        long whole = (long)window;
        SetWindow(whole);
        _fraction = Window == whole ? window - whole : 0;
    }

    private void StartEpoch(long now)
    {
        _state.HasEpoch = true;
        _state.EpochStart = now;
        _state.Estimate = Window;
        if (_state.WMax <= Window)
        {
            // RFC 9438 section 4.10: after slow start, or when the window already is where it was.
            _state.WMax = Window;
            _state.K = 0;
        }
        else
        {
            _state.K = Math.Cbrt((_state.WMax - Window) / MaxDatagramSize / C);
        }
    }

    private double CubicWindow(double seconds)
    {
        double t = seconds - _state.K;
        return (C * t * t * t * MaxDatagramSize) + _state.WMax;
    }

    /// <summary>What an epoch of congestion avoidance remembers; sizes in bytes.</summary>
    private struct State
    {
        public double WMax;
        public double PriorWindow;
        public double Estimate;
        public double K;
        public long EpochStart;
        public bool HasEpoch;

        public static State Fresh => default;
    }
}
