using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Connection;

/// <summary>Keeps the timer table true to what the rooms want, and calls them when their time has come.</summary>
internal sealed class Clock
{
    /// <summary>RFC 9000 section 8.2.4: the probe timeout of a path of which nothing is known yet.</summary>
    private const long UnknownProbeTimeout = 3 * RttEstimator.InitialRtt;

    private const int FullDatagram = 1200;

    private readonly ConnectionState _state;

    public Clock(ConnectionState state)
    {
        _state = state;
        _state.Timers.Set(TimerId.Handshake, state.HandshakeDeadline);
    }

    /// <summary>After so long a challenge goes again: the way is likely to be about as long as the present one.</summary>
    public static long ValidationInterval(LossRecovery recovery) => recovery.ProbeTimeoutPeriod;

    /// <summary>
    /// RFC 9000 section 8.2.4: three times the larger of the present probe timeout and that of a new path. Once more, since the third
    /// challenge leaves only then: where a tenth of all packets is lost, two are answered in vain one time in thirty.
    /// </summary>
    public static long ValidationTime(LossRecovery recovery, Network path) =>
        4 * Math.Max(recovery.ProbeTimeoutPeriod, path.Transmission.Rtt.HasSample ? 0 : UnknownProbeTimeout);

    /// <summary>After each call: when is the next?</summary>
    public void Update(long now)
    {
        if (_state.IsOver)
        {
            return;
        }

        LossRecovery recovery = _state.Recovery;
        Network active = _state.Paths.Active;
        bool limited = active.Amplification.Budget < FullDatagram;
        recovery.SetAmplificationLimited(limited, now);
        ref TimerTable timers = ref _state.Timers;
        timers.Set(TimerId.Recovery, recovery.NextTimeout);

        // An acknowledgement that may not be sent would be due again and again: the next datagram brings the right to.
        timers.Set(
            TimerId.Acknowledgement,
            limited ? long.MaxValue : Math.Min(
                recovery.Application.Received.AckDeadline,
                Math.Min(recovery.Initial.Received.AckDeadline, recovery.Handshake.Received.AckDeadline)));
        timers.Set(TimerId.Idle, _state.Idle.Deadline(recovery.ProbeTimeoutPeriod));
        timers.Set(TimerId.KeepAlive, _state.IsHandshakeComplete ? _state.Idle.KeepAliveDeadline : long.MaxValue);
        timers.Set(TimerId.PathValidation, _state.Paths.Deadline);
        timers.Set(TimerId.Mtu, _state.IsHandshakeConfirmed ? active.Transmission.Mtu.NextTimeout : long.MaxValue);
        timers.Set(TimerId.Streams, _state.Streams.NextTimeout);
        timers.Set(TimerId.Datagrams, _state.Datagrams.NextTimeout);
    }

    public void HandleTimeout(long now)
    {
        ref TimerTable timers = ref _state.Timers;
        if (timers.TryExpire(TimerId.Close, now))
        {
            _state.Lifecycle.Finish();
            return;
        }

        if (_state.IsOver)
        {
            return;
        }

        if (timers.TryExpire(TimerId.Idle, now))
        {
            // RFC 9000 section 10.1: closed in silence, and the state is gone.
            _state.Lifecycle.EndSilently(CloseSource.IdleTimeout, "nothing was heard for the idle timeout", now);
            return;
        }

        if (timers.TryExpire(TimerId.Handshake, now))
        {
            _state.Lifecycle.EndSilently(CloseSource.HandshakeTimeout, "the handshake took too long", now);
            return;
        }

        if (timers.TryExpire(TimerId.KeepAlive, now))
        {
            _state.PingToSend = true;
            _state.Idle.OnKeepAlive(now);
        }

        if (timers.TryExpire(TimerId.KeyDiscard, now))
        {
            DiscardOldKeys();
        }

        if (timers.TryExpire(TimerId.Recovery, now))
        {
            HandleRecovery(now);
        }

        if (timers.TryExpire(TimerId.PathValidation, now))
        {
            _state.Paths.HandleTimeout(now);
        }

        if (timers.TryExpire(TimerId.Streams, now))
        {
            _state.Streams.HandleTimeout(now);
        }

        if (timers.TryExpire(TimerId.Datagrams, now))
        {
            _state.Datagrams.HandleTimeout(now);
        }

        // The rest only asks for datagrams to be built.
        _ = timers.TryExpire(TimerId.Acknowledgement, now);
        _ = timers.TryExpire(TimerId.Pacing, now);
        _ = timers.TryExpire(TimerId.Mtu, now);
    }

    private void HandleRecovery(long now)
    {
        int probes = _state.Recovery.ProbeTimeoutCount;
        _state.Recovery.OnTimeout(now);
        if (_state.Recovery.ProbeTimeoutCount > probes)
        {
            _state.Counters.ProbeTimeouts++;
        }

        _state.Monitor.OnRecoveryChanged(now);
    }

    private void DiscardOldKeys()
    {
        _state.DiscardLevel(Wire.EncryptionLevel.EarlyData);
        _state.Keys.Application?.DropPrevious();
    }
}
