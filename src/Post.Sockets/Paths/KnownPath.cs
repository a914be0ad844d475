namespace Post.Sockets.Paths;

/// <summary>A path of the connection, as the path manager knows it.</summary>
internal sealed class KnownPath(long id, WayKey key)
{
    public long Id { get; } = id;

    public WayKey Key { get; set; } = key;

    public PostPathState State { get; set; }

    /// <summary>It was asked to be given up.</summary>
    public bool IsClosing { get; set; }

    /// <summary>It was asked to be used only where no other works.</summary>
    public bool IsInReserve { get; set; }

    /// <summary>Since when its interface is down, or it does not answer; null while all is well.</summary>
    public TimeSpan? BadSince { get; set; }

    /// <summary>The transport did not give it up when it was asked; not before then is it asked again.</summary>
    public TimeSpan KeptUntil { get; set; }

    public bool IsValidated => State is PostPathState.Active or PostPathState.Standby;
}
