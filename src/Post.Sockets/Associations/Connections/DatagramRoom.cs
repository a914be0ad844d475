namespace Post.Sockets.Associations.Connections;

/// <summary>Whether a connection takes more datagrams. Under the association's lock.</summary>
internal sealed class DatagramRoom
{
    /// <summary>The transport's queue is full: nothing goes before the next report.</summary>
    public bool IsFull { get; set; }

    /// <summary>Reports so far: tells whether one came while a datagram was handed over.</summary>
    public long Reports { get; private set; }

    public void OnReport()
    {
        IsFull = false;
        Reports++;
    }
}
