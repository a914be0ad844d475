namespace Post.Sockets.Associations.Sending;

/// <summary>What a <see cref="TransportAction"/> does.</summary>
internal enum TransportActionKind
{
    Dispose,
    Reset,
    StopReading,
    SetPriority,
}
