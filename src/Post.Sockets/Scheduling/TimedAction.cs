namespace Post.Sockets.Scheduling;

/// <summary>A moment with an action, for what happens once per association and not once per object.</summary>
internal sealed class TimedAction(Action<long> action) : ITimed
{
    public int TimerIndex { get; set; } = -1;

    public bool IsSet => TimerIndex >= 0;

    public void OnDue(long now) => action(now);
}
