namespace Post.Quic.Engine.Datagrams;

/// <summary>Who hears what became of the datagrams of a <see cref="DatagramQueue"/>; called inside the gate.</summary>
internal interface IDatagramEvents
{
    /// <summary>The datagram with this number, as <see cref="DatagramQueue.TryEnqueue"/> gave it, has a new state.</summary>
    void OnDatagramState(ulong number, DatagramState state);
}
