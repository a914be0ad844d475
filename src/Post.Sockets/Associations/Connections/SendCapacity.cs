namespace Post.Sockets.Associations.Connections;

/// <summary>What a connection takes in one call now: datagrams, and whole streams. By the owner.</summary>
internal sealed class SendCapacity
{
    /// <summary>The transport holds enough datagrams: nothing goes before the next report.</summary>
    public bool IsFullOfDatagrams { get; set; }

    /// <summary>Likewise, of whole streams.</summary>
    public bool IsFullOfStreams { get; set; }
}
