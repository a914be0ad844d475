namespace Post.Sockets.Transport;

/// <summary>How one side wants a path to be used.</summary>
public enum TransportPathStatus
{
    /// <summary>Like any other.</summary>
    Available,

    /// <summary>Only where no available path works.</summary>
    Backup,
}
