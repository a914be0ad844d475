using FileTransfer.Protocol;

namespace FileTransfer.Receiving;

/// <summary>How one request is received.</summary>
internal sealed record DestinationOptions
{
    /// <summary>Who sends, as far as locks go.</summary>
    public FileOwner Owner { get; init; } = new([]);

    /// <summary>Under which names things are kept.</summary>
    public Placement Placement { get; init; } = Placement.Same;

    /// <summary>Told of everything that is to be transferred.</summary>
    public Action<FileEntry>? OnPlanned { get; init; }

    /// <summary>Told of something worth knowing that is no failure.</summary>
    public Action<string> OnNote { get; init; } = _ => { };
}
