using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations;

/// <summary>
/// Notices handlers that do not return while something waits for them: most likely they wait for it themselves, and it cannot come before
/// they return. Under the association's lock.
/// </summary>
internal sealed class HandlerWatch
{
    /// <summary>Longer than a handler that does work is usually away, and short enough that whoever tries it out sees the warning.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly AssociationCore _core;
    private readonly TimedAction _timer;
    private long _progress;
    private bool _hasWarned;

    public HandlerWatch(AssociationCore core, Action warn)
    {
        _core = core;
        _timer = new TimedAction(_ =>
        {
            _hasWarned = true;
            _core.Queue(new Work(warn));
        });
    }

    /// <summary>Looks at the handlers; run by the pump.</summary>
    /// <param name="isBlocked">Something waits, and all handlers that may run do.</param>
    /// <param name="progress">Changes whenever one has returned.</param>
    public void Look(bool isBlocked, long progress)
    {
        if (!isBlocked)
        {
            _core.Timers.Cancel(_timer);
        }
        else if (progress != _progress || !(_timer.IsSet || _hasWarned))
        {
            _core.Timers.Set(_timer, _core.Clock.Now + _core.Clock.Units(Patience));
        }

        _hasWarned &= isBlocked && progress == _progress;
        _progress = progress;
    }
}
