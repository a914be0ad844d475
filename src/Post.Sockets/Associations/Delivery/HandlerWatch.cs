using Post.Sockets.Associations.Ownership;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations.Delivery;

/// <summary>
/// Notices handlers that do not return while something waits for them: most likely they wait for it themselves, and it cannot come before
/// they return. It belongs to the owner of the association.
/// </summary>
internal sealed class HandlerWatch
{
    /// <summary>Longer than a handler that does work is usually away, and short enough that whoever tries it out sees the warning.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly AssociationState _state;
    private readonly Action _warn;
    private TimedAction? _timer;
    private long _progress;
    private bool _hasWarned;

    public HandlerWatch(AssociationState state, Action warn)
    {
        _state = state;
        _warn = warn;
    }

    /// <summary>Looks at the handlers.</summary>
    /// <param name="isBlocked">Something waits, and all handlers that may run do.</param>
    /// <param name="progress">Changes whenever one has returned.</param>
    public void Look(bool isBlocked, long progress)
    {
        if (!isBlocked)
        {
            if (_timer is not null)
            {
                _state.Timers.Cancel(_timer);
            }
        }
        else if (progress != _progress || !(_timer is { IsSet: true } || _hasWarned))
        {
            _timer ??= new TimedAction(_ =>
            {
                _hasWarned = true;
                _state.Queue(_warn);
            });
            _state.Timers.Set(_timer, _state.Clock.Now + _state.Clock.Units(Patience));
        }

        _hasWarned &= isBlocked && progress == _progress;
        _progress = progress;
    }
}
