namespace Post.Sockets.Scheduling;

/// <summary>Something that has at most one moment to wait for in a <see cref="TimerQueue"/>.</summary>
internal interface ITimed
{
    /// <summary>The place in the queue's heap; -1 while outside.</summary>
    int TimerIndex { get; set; }

    /// <summary>The moment came.</summary>
    void OnDue(long now);
}
