namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>A link of the simulated network: what stands before it, how it treats what goes over it, and whether it works at all.</summary>
internal sealed class SimulatedLink
{
    public LinkConditions FromClient { get; set; } = new();

    public LinkConditions FromServer { get; set; } = new();

    /// <summary>Both directions at once.</summary>
    public LinkConditions Conditions
    {
        set
        {
            FromClient = value;
            FromServer = value;
        }
    }

    /// <summary>Everything on it is lost without a word, also what is under way.</summary>
    public bool IsDead { get; set; }

    /// <summary>UDP bytes that it brought to the server.</summary>
    public long BytesUp { get; private set; }

    /// <summary>And to the client.</summary>
    public long BytesDown { get; private set; }

    internal Direction Up { get; } = new();

    internal Direction Down { get; } = new();

    public void OnDelivered(SimulatedDatagram datagram)
    {
        if (datagram.FromClient)
        {
            BytesUp += datagram.Payload.Length;
        }
        else
        {
            BytesDown += datagram.Payload.Length;
        }
    }

    /// <summary>What one direction remembers.</summary>
    internal sealed class Direction
    {
        /// <summary>When all that waits for the link has left.</summary>
        public long FreeAt { get; set; }

        public long LastArrival { get; set; }
    }
}
