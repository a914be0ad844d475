namespace Post.Sockets.Testing;

/// <summary>
/// What a transport tells its peer besides data: acknowledgements, credit, resets, the close. It rides along for free and is
/// never lost for good, as a real transport repeats it until it arrives.
/// </summary>
internal readonly record struct LinkMessage(LinkMessageKind Kind, object? Target, long First = 0, long Second = 0, long Third = 0);
