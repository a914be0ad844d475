namespace Post.Sockets.Associations;

/// <summary>What a <see cref="TransportAction"/> does.</summary>
internal enum TransportActionKind
{
    Dispose,
    Reset,
    StopReading,
    SetPriority,
}
