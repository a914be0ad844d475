namespace Post.Sockets.Scheduling;

/// <summary>What is kept for each niceness in use.</summary>
internal sealed class SendClass(int niceness)
{
    public int Niceness { get; } = niceness;

    /// <summary>The turn of what was served last: where newcomers start.</summary>
    public long VirtualTime { get; set; }

    /// <summary>Bytes handed to the transport and not taken off our hands yet.</summary>
    public long Outstanding { get; private set; }

    /// <summary>No deadline among them is later.</summary>
    public long OutstandingDeadline { get; private set; }

    /// <summary>Bytes of the receiver's budget held by objects of this class.</summary>
    public long Credit { get; set; }

    /// <summary>Large objects under way.</summary>
    public int Sharing { get; set; }

    /// <summary>Large objects that wait until fewer share.</summary>
    public Queue<SendEntry> Parked { get; } = new();

    /// <summary>Entries of this class that exist; without any, the class is forgotten.</summary>
    public int Members { get; set; }

    /// <summary>Bytes are handed to the transport.</summary>
    public void HandOver(long bytes, long deadline)
    {
        OutstandingDeadline = Outstanding == 0 ? deadline : Math.Max(OutstandingDeadline, deadline);
        Outstanding += bytes;
    }

    /// <summary>The transport has taken them off our hands.</summary>
    public void Release(long bytes) => Outstanding -= bytes;
}
