namespace Post.Quic.Engine.Connection;

/// <summary>
/// When silence ends a connection (RFC 9000 section 10.1), and when a PING shall break it (section 10.1.2).
/// </summary>
internal struct IdleTimer
{
    private readonly long _keepAlive;
    private long _timeout;
    private long _since;
    private long _lastActivity;
    private bool _sentSinceReceived;

    /// <param name="timeout">Ours; <see cref="long.MaxValue"/> for none.</param>
    /// <param name="keepAlive">Microseconds of silence; <see cref="long.MaxValue"/> for never.</param>
    /// <param name="now">The current time.</param>
    public IdleTimer(long timeout, long keepAlive, long now)
    {
        _timeout = timeout;
        _keepAlive = keepAlive;
        _since = now;
        _lastActivity = now;
    }

    /// <summary>RFC 9000 section 10.1: the smaller of both sides' holds; 0 from the peer means none.</summary>
    public void SetPeerTimeout(long timeout)
    {
        if (timeout != 0)
        {
            _timeout = Math.Min(_timeout, timeout);
        }
    }

    public void OnReceived(long now)
    {
        _since = now;
        _lastActivity = now;
        _sentSinceReceived = false;
    }

    /// <summary>
    /// RFC 9000 section 10.1: the first ack-eliciting packet after something was received restarts the timer; more of
    /// them do not, or a peer that is gone would be waited for as long as we have something to say.
    /// </summary>
    public void OnAckElicitingSent(long now)
    {
        _lastActivity = now;
        if (!_sentSinceReceived)
        {
            _sentSinceReceived = true;
            _since = now;
        }
    }

    /// <summary>The PING of the keep-alive is about to go; the next one comes after as much silence again.</summary>
    public void OnKeepAlive(long now) => _lastActivity = now;

    /// <summary>RFC 9000 section 10.1: at least three times the probe timeout, so that losses alone end nothing.</summary>
    public readonly long Deadline(long probeTimeout) =>
        _timeout == long.MaxValue ? long.MaxValue : _since + Math.Max(_timeout, 3 * probeTimeout);

    public readonly long KeepAliveDeadline => _keepAlive == long.MaxValue ? long.MaxValue : _lastActivity + _keepAlive;
}
