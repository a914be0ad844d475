using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>The states of BBR and what leads from one to another (draft-ietf-ccwg-bbr section 5.3).</summary>
internal sealed class BbrMachine
{
    private readonly BbrModel _model;
    private readonly RandomSource _random;
    private BbrAckPhase _ackPhase;
    private BbrUndo _undo = new(null, BbrModel.Unlimited, BbrModel.Unlimited, BbrModel.Unlimited);
    private ProbeWait _wait;
    private RttProbe _rttProbe;
    private long _drainRound;

    // BBR.is_bw_probe_sample, BBR.prev_probe_too_high, BBR.prev_probe_precautionary.
    private bool _isSearchSample;
    private bool _wasTooMuch;
    private bool _wasCautious;

    // BBR.idle_restart.
    private bool _isRestart;

    public BbrMachine(BbrModel model, RandomSource random)
    {
        _model = model;
        _random = random;
    }

    public BbrState State { get; private set; } = BbrState.Startup;

    /// <summary>An acknowledgement changed the model; the rest of UpdateModelAndState (section 5.2.3).</summary>
    public void OnAcked(in AckSample sample)
    {
        if (_model.Rounds.IsStart)
        {
            _wait.OnRound();
        }

        CheckStartupDone(sample);
        CheckDrainDone(sample);
        AdvanceSearch(sample);
        _model.MinimumRtt.OnAcked(sample);
        CheckProbeRtt(sample);
    }

    /// <summary>A loss begins that may turn out to be none: SaveStateUponLoss (section 5.5.11.1).</summary>
    public void SaveForUndo() =>
        _undo = new BbrUndo(null, _model.ShortTerm.Bandwidth, _model.ShortTerm.Inflight, _model.LongTerm.Inflight);

    /// <summary>HandleLostPacket (section 5.5.10.2).</summary>
    public void OnLost(in LossSample loss)
    {
        _model.ShortTerm.OnLoss(loss);
        if (_isSearchSample && IsTooMuch(loss.Lost, loss.SentInFlight))
        {
            OnTooMuch(InflightAtLoss(loss), loss.IsAppLimited, loss.TotalDelivered, loss.Now);
        }
    }

    /// <summary>
    /// Routers marked what was acknowledged. Section 3.7: a mark is congestion. Where more was tried it says what too many losses say, and
    /// elsewhere what a loss says.
    /// </summary>
    public void OnMarked(in AckSample sample)
    {
        DeliverySample delivery = sample.Delivery;
        _model.ShortTerm.OnCongestion(delivery.TotalDelivered);
        if (State == BbrState.Startup)
        {
            LeaveStartup(canUndo: false);
            EnterDrain();
        }
        else if (_isSearchSample)
        {
            OnTooMuch(delivery.SentInFlight, delivery.IsAppLimited, delivery.TotalDelivered, sample.Now);
        }
    }

    /// <summary>HandleSpuriousLossDetection (section 5.5.11.2), without the window.</summary>
    public void OnSpuriousLoss(ulong totalDelivered)
    {
        _model.ShortTerm.ForgetLosses();
        _model.FullPipe.Reset();
        _model.ShortTerm.Bandwidth = Math.Max(_model.ShortTerm.Bandwidth, _undo.Bandwidth);
        _model.ShortTerm.Inflight = Math.Max(_model.ShortTerm.Inflight, _undo.ShortTermInflight);
        _model.LongTerm.Inflight = Math.Max(_model.LongTerm.Inflight, _undo.LongTermInflight);
        if (_undo.State == BbrState.Startup && State != BbrState.Startup)
        {
            _model.FullPipe.WasReached = false;
            if (State != BbrState.ProbeRtt)
            {
                State = BbrState.Startup;
            }
        }
        else if (_undo.State == BbrState.Up && State is not (BbrState.Up or BbrState.ProbeRtt))
        {
            StartRefill(totalDelivered);
        }

        _undo = _undo with { State = null };
    }

    /// <summary>HandleRestartFromIdle (section 5.4.1), as far as it is the machine's.</summary>
    public void OnRestart(ulong totalDelivered, long now)
    {
        _isRestart = true;
        if (State == BbrState.ProbeRtt && _rttProbe.IsOver(now))
        {
            ExitProbeRtt(totalDelivered, now);
        }
    }

    /// <summary>The machine stood still for so long.</summary>
    public void OnStall(long duration) => _wait.OnStall(duration);

    private static bool IsTooMuch(long lost, long sentInFlight) => lost > sentInFlight * BbrConstants.LossThreshold;

    private static long InflightAtLoss(in LossSample loss)
    {
        // Section 5.5.10.2: where in the packet the losses became too many.
        long inflightBefore = loss.SentInFlight - loss.Size;
        long lostBefore = loss.Lost - loss.Size;
        double prefix = ((BbrConstants.LossThreshold * inflightBefore) - lostBefore) / (1 - BbrConstants.LossThreshold);
        return inflightBefore + (long)prefix;
    }

    private void CheckStartupDone(in AckSample sample)
    {
        if (State != BbrState.Startup)
        {
            return;
        }

        // Section 5.3.1.3: a round trip with too many losses, in several places.
        ref ShortTermModel shortTerm = ref _model.ShortTerm;
        if (!_model.FullPipe.WasReached
            && shortTerm.IsRoundStart
            && shortTerm.LossRuns >= BbrConstants.StartupLossRuns
            && IsTooMuch(sample.Delivery.Lost, sample.Delivery.SentInFlight))
        {
            LeaveStartup(canUndo: true);
        }

        if (_model.FullPipe.WasReached)
        {
            EnterDrain();
        }
    }

    private void LeaveStartup(bool canUndo)
    {
        if (canUndo)
        {
            _undo = _undo with { State = BbrState.Startup };
        }

        _model.FullPipe.WasReached = true;
        _model.LongTerm.Inflight = Math.Max(_model.BandwidthDelay(1), _model.ShortTerm.LatestDelivered);
    }

    private void EnterDrain()
    {
        State = BbrState.Drain;
        _drainRound = _model.Rounds.Count;
    }

    private void CheckDrainDone(in AckSample sample)
    {
        // Section 5.3.2.
        if (State == BbrState.Drain
            && (sample.BytesInFlight <= _model.Inflight(1, _model.Bandwidth, State)
                || _model.Rounds.Count > _drainRound + BbrConstants.DrainRounds))
        {
            StartDown(sample.Delivery.TotalDelivered, sample.Now);
        }
    }

    private void StartDown(ulong totalDelivered, long now)
    {
        _model.ShortTerm.ResetSignals();
        _model.LongTerm.EndSearch();
        _wait.Begin(_random, now);
        _ackPhase = BbrAckPhase.Stopping;
        _model.Rounds.Begin(totalDelivered);
        State = BbrState.Down;
    }

    private void StartRefill(ulong totalDelivered)
    {
        _model.ShortTerm.Reset();
        _model.LongTerm.BeginSearch();
        _wasCautious = false;
        _ackPhase = BbrAckPhase.Refilling;
        _model.Rounds.Begin(totalDelivered);
        State = BbrState.Refill;
    }

    private void StartUp(in DeliverySample sample)
    {
        _ackPhase = BbrAckPhase.Starting;
        _model.Rounds.Begin(sample.TotalDelivered);
        _model.FullPipe.Reset(sample.Rate);
        State = BbrState.Up;
        _model.LongTerm.DoubleGrowth(_model.Window, _model.DatagramSize);
    }

    /// <summary>UpdateProbeBWCyclePhase (section 5.3.3.9).</summary>
    private void AdvanceSearch(in AckSample sample)
    {
        if (!_model.FullPipe.WasReached || AdaptLongTerm(sample))
        {
            return;
        }

        switch (State)
        {
            case BbrState.Down or BbrState.Cruise when _wait.IsOver(_model.Target / _model.DatagramSize, sample.Now):
                StartRefill(sample.Delivery.TotalDelivered);
                break;

            case BbrState.Down when IsTimeToCruise(sample.BytesInFlight):
                State = BbrState.Cruise;
                break;

            case BbrState.Refill when _model.Rounds.IsStart:
                _isSearchSample = true;
                StartUp(sample.Delivery);
                break;

            case BbrState.Up when IsTimeToGoDown(sample):
                _wasTooMuch = false;
                StartDown(sample.Delivery.TotalDelivered, sample.Now);
                break;

            default:
                break;
        }
    }

    private bool IsTimeToCruise(long bytesInFlight) =>
        bytesInFlight <= _model.LongTerm.WithHeadroom(_model.DatagramSize)
        && bytesInFlight <= _model.Inflight(1, _model.MaxBandwidth.Value, State);

    private bool IsTimeToGoDown(in AckSample sample)
    {
        // Section 5.3.3.6: as much was in flight as was too much the last time. The window ends there, and takes whole datagrams only.
        if (_wasTooMuch && sample.PriorBytesInFlight + _model.DatagramSize > _model.LongTerm.Inflight)
        {
            _wasCautious = true;
            return true;
        }

        if (sample.IsWindowLimited && _model.Window >= _model.LongTerm.Inflight)
        {
            // What limits the rate is our own bound.
            _model.FullPipe.Reset(sample.Delivery.Rate);
            return false;
        }

        return _model.FullPipe.IsNow;
    }

    /// <summary>AdaptLongTermModel; returns whether the state changed.</summary>
    private bool AdaptLongTerm(in AckSample sample)
    {
        bool isRoundStart = _model.Rounds.IsStart;
        if (_ackPhase == BbrAckPhase.Starting && isRoundStart)
        {
            _ackPhase = BbrAckPhase.Feedback;
        }

        if (_ackPhase == BbrAckPhase.Stopping && isRoundStart)
        {
            _isSearchSample = false;
            _ackPhase = BbrAckPhase.None;
            if (State.IsProbeBandwidth() && !sample.Delivery.IsAppLimited)
            {
                _model.MaxBandwidth.Advance();
            }

            // Section 5.3.3.6: the careful search went well, so that the next goes on longer.
            if (State.IsProbeBandwidth() && _wasCautious && !_wasTooMuch)
            {
                StartRefill(sample.Delivery.TotalDelivered);
                return true;
            }
        }

        if (_model.LongTerm.Inflight != BbrModel.Unlimited && !IsTooMuch(sample.Delivery.Lost, sample.Delivery.SentInFlight))
        {
            _model.LongTerm.Inflight = Math.Max(_model.LongTerm.Inflight, sample.Delivery.SentInFlight);
            if (State == BbrState.Up)
            {
                _model.LongTerm.Grow(sample, _model.Window, _model.DatagramSize, isRoundStart);
            }
        }

        return false;
    }

    /// <summary>HandleInflightTooHigh (section 5.5.10.2).</summary>
    private void OnTooMuch(long inflight, bool isAppLimited, ulong totalDelivered, long now)
    {
        _wasTooMuch = true;
        _isSearchSample = false;
        if (!isAppLimited)
        {
            _model.LongTerm.Inflight = Math.Max(inflight, (long)(_model.Target * BbrConstants.Beta));
        }

        if (State == BbrState.Up)
        {
            _undo = _undo with { State = BbrState.Up };
            StartDown(totalDelivered, now);
        }
    }

    /// <summary>CheckProbeRTT (section 5.3.4.3).</summary>
    private void CheckProbeRtt(in AckSample sample)
    {
        ulong totalDelivered = sample.Delivery.TotalDelivered;
        if (State != BbrState.ProbeRtt && _model.MinimumRtt.IsDue && !_isRestart)
        {
            State = BbrState.ProbeRtt;
            _model.SaveWindow(isReduced: true);
            _rttProbe.Begin();
            _ackPhase = BbrAckPhase.Stopping;
            _model.Rounds.Begin(totalDelivered);
        }

        if (State == BbrState.ProbeRtt)
        {
            if (_rttProbe.IsUnderWay)
            {
                if (_model.Rounds.IsStart)
                {
                    _rttProbe.OnRound();
                }

                if (_rttProbe.IsDone(sample.Now))
                {
                    ExitProbeRtt(totalDelivered, sample.Now);
                }
            }
            else if (sample.BytesInFlight <= _model.ProbeRttWindow)
            {
                _rttProbe.OnDrained(sample.Now);
                _model.Rounds.Begin(totalDelivered);
            }
        }

        if (sample.Delivery.Delivered > 0)
        {
            _isRestart = false;
        }
    }

    /// <summary>The end of CheckProbeRTTDone, and ExitProbeRTT (section 5.3.4.4).</summary>
    private void ExitProbeRtt(ulong totalDelivered, long now)
    {
        _model.MinimumRtt.OnProbed(now);
        _model.RestoreWindow();
        _model.ShortTerm.Reset();
        if (_model.FullPipe.WasReached)
        {
            StartDown(totalDelivered, now);
            State = BbrState.Cruise;
        }
        else
        {
            State = BbrState.Startup;
        }
    }
}
