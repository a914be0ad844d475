using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Connection;

/// <summary>Keeps the timer table true to what the rooms want, and calls them when their time has come.</summary>
internal sealed class ConnectionTimers
{
    private const int FullDatagram = 1200;

    private readonly ConnectionState _state;

    public ConnectionTimers(ConnectionState state)
    {
        _state = state;
        _state.Timers.Set(TimerId.Handshake, state.HandshakeDeadline);
    }

    /// <summary>After each call: when is the next?</summary>
    public void Update(long now)
    {
        if (_state.IsOver)
        {
            return;
        }

        ref TimerTable timers = ref _state.Timers;
        long paths = Math.Min(_state.Multipath.NextTimeout, _state.PathSilence.NextTimeout);
        foreach (Path path in _state.Paths.Open)
        {
            paths = Math.Min(paths, path.Network.IsHeld ? long.MaxValue : Deadline(path, now));
        }

        foreach (Path path in _state.Paths.Known)
        {
            // An acknowledgement that may not be sent would be due again and again: the next datagram brings the right to.
            if (path.HasNetwork
                && _state.Paths.AcknowledgedBy(path, now).Network is { IsHeld: false } carrier
                && carrier.Amplification.Budget >= FullDatagram)
            {
                paths = Math.Min(paths, path.Recovery.AckDeadline);
            }
        }

        timers.Set(TimerId.Paths, paths);
        timers.Set(TimerId.Idle, _state.Idle.Deadline(_state.Paths.ProbeTimeoutPeriod));
        timers.Set(TimerId.KeepAlive, _state.IsHandshakeComplete ? _state.Idle.KeepAliveDeadline : long.MaxValue);
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
            // RFC 9000 section 10.1.2.
            _state.Paths.Ping();
            _state.Idle.OnKeepAlive(now);
        }

        if (timers.TryExpire(TimerId.KeyDiscard, now))
        {
            DiscardOldKeys();
        }

        if (timers.TryExpire(TimerId.Paths, now))
        {
            HandlePaths(now);
        }

        if (timers.TryExpire(TimerId.Streams, now))
        {
            _state.Streams.HandleTimeout(now);
        }

        if (timers.TryExpire(TimerId.Datagrams, now))
        {
            _state.Datagrams.HandleTimeout(now);
        }
    }

    /// <summary>When something of a path is due.</summary>
    private long Deadline(Path path, long now)
    {
        LossRecovery recovery = path.Recovery;
        bool limited = path.Network.Amplification.Budget < FullDatagram;
        recovery.SetAmplificationLimited(limited, now);
        long deadline = Math.Min(recovery.NextTimeout, path.PacingDeadline);

        // The next probe of MTU discovery.
        if (_state.IsHandshakeConfirmed && path.IsUsable)
        {
            deadline = Math.Min(deadline, path.Transmission.Mtu.NextTimeout);
        }

        return Math.Min(deadline, path.Validation.Deadline);
    }

    /// <summary>What acknowledgements, pacing and MTU discovery wait for is only that datagrams are built.</summary>
    private void HandlePaths(long now)
    {
        foreach (Path path in _state.Paths.Open)
        {
            if (path.PacingDeadline <= now)
            {
                path.PacingDeadline = long.MaxValue;
            }

            if (path.Recovery.NextTimeout <= now)
            {
                HandleRecovery(path, now);
            }
        }

        foreach (Path path in _state.Paths.Open)
        {
            path.Validation.HandleTimeout(now);
            if (_state.IsOver)
            {
                return;
            }
        }

        _state.Multipath.HandleTimeout(now);
        if (!_state.IsOver)
        {
            _state.PathSilence.HandleTimeout(now);
        }
    }

    private void HandleRecovery(Path path, long now)
    {
        int probes = path.Recovery.ProbeTimeoutCount;
        path.Recovery.OnTimeout(now);
        if (path.Recovery.ProbeTimeoutCount > probes)
        {
            _state.Counters.ProbeTimeouts++;
            if (path.Recovery.ProbeTimeoutCount >= Limits.ProbeTimeoutsBeforeRouteSearch)
            {
                path.Migration.SearchRoute(now);
            }
        }

        _state.PathWatch.OnChanged(path, now);
    }

    private void DiscardOldKeys()
    {
        _state.DiscardLevel(Wire.EncryptionLevel.EarlyData);
        _state.Keys.Application?.DropPrevious();
    }
}
