using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>Moves a connection from one phase to the next, to its end (RFC 9000 section 10).</summary>
internal sealed class ConnectionLifecycle
{
    /// <summary>RFC 9000 section 10.2: closing and draining last three probe timeouts.</summary>
    private const int ClosePeriods = 3;

    private readonly ConnectionState _state;

    public ConnectionLifecycle(ConnectionState state)
    {
        _state = state;
    }

    public ConnectionPhase Phase { get; private set; }

    public void OnHandshakeComplete()
    {
        // What TLS was about to say when the connection failed does not bring it back.
        if (Phase == ConnectionPhase.Handshaking)
        {
            SetPhase(ConnectionPhase.Established);
        }
    }

    /// <summary>The peer broke a rule, or something of ours did: the connection closes with the error.</summary>
    public void Fail(in TransportError error, long now) => Close(ConnectionCloseInfo.FromError(error), now);

    /// <summary>Immediate close (RFC 9000 section 10.2).</summary>
    public void Close(in ConnectionCloseInfo info, long now)
    {
        if (_state.IsOver)
        {
            return;
        }

        _state.Closing.Begin(info, announce: true);
        SetPhase(ConnectionPhase.Closing);
        EndForApplication(info, now);
        StartCloseTimer(now);
    }

    /// <summary>The peer's CONNECTION_CLOSE came (RFC 9000 section 10.2.2).</summary>
    public void OnPeerClosed(in ConnectionCloseInfo info, long now)
    {
        _state.Closing.Begin(info, announce: false);
        SetPhase(ConnectionPhase.Draining);
        EndForApplication(info, now);
        StartCloseTimer(now);
    }

    /// <summary>In the closing state the peer's own close came: there is nobody left to answer.</summary>
    public void Drain(long now)
    {
        if (_state.Phase == ConnectionPhase.Closing)
        {
            _state.Closing.Silence();
            SetPhase(ConnectionPhase.Draining);
            StartCloseTimer(now);
        }
    }

    /// <summary>
    /// RFC 9000 section 10.3.1: the peer has no state any more. Draining keeps packets that are still on their way from
    /// starting anything.
    /// </summary>
    public void OnStatelessReset(long now)
    {
        if (_state.Phase == ConnectionPhase.Closing)
        {
            Drain(now);
        }
        else
        {
            OnPeerClosed(
                new ConnectionCloseInfo(CloseSource.StatelessReset, false, 0, 0, "the peer has lost its state"), now);
        }
    }

    /// <summary>The end without a word to the peer: idle, without a path, without a version.</summary>
    /// <param name="source">What ended it.</param>
    /// <param name="reason">A phrase for a log.</param>
    /// <param name="now">The time.</param>
    /// <param name="code">A number that goes with the source.</param>
    public void EndSilently(CloseSource source, string reason, long now, ulong code = 0)
    {
        if (_state.Phase < ConnectionPhase.Closing)
        {
            code = source == CloseSource.NoViablePath ? (ulong)TransportErrorCode.NoViablePath : code;
            var info = new ConnectionCloseInfo(source, false, code, 0, reason);
            _state.Closing.Begin(info, announce: false);
            EndForApplication(info, now);
        }

        Finish();
    }

    /// <summary>The last state: no timer, no keys, no routes.</summary>
    public void Finish()
    {
        if (_state.Phase == ConnectionPhase.Drained)
        {
            return;
        }

        SetPhase(ConnectionPhase.Drained);
        _state.Timers.StopAll();
        _state.Paths.Withdraw();
        _state.Events.OnDrained();
        _state.Release();
    }

    private void EndForApplication(in ConnectionCloseInfo info, long now)
    {
        _state.Timers.StopAll();
        _state.Waiting.Dispose();
        _state.Streams.Abandon();
        _state.Datagrams.Abandon();
        _state.Trace?.Closed(now, info);
        _state.Events.OnClosed(info);
    }

    private void StartCloseTimer(long now) =>
        _state.Timers.Set(TimerId.Close, now + (ClosePeriods * _state.Paths.ProbeTimeoutPeriod));

    private void SetPhase(ConnectionPhase phase)
    {
        Phase = phase;
        _state.Trace?.PhaseChanged(_state.Now, phase);
    }
}
