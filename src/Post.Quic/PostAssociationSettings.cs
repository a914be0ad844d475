using Post.Sockets;

namespace Post.Quic;

/// <summary>
/// The part of <see cref="AssociationOptions"/> that is tuned from configuration. What is null keeps the default.
/// </summary>
public sealed class PostAssociationSettings
{
    /// <inheritdoc cref="AssociationOptions.MaxQueuedBytes"/>
    public long? MaxQueuedBytes { get; set; }

    /// <inheritdoc cref="AssociationOptions.MaxQueuedObjects"/>
    public int? MaxQueuedObjects { get; set; }

    /// <inheritdoc cref="AssociationOptions.ReceiveBudget"/>
    public long? ReceiveBudget { get; set; }

    /// <inheritdoc cref="AssociationOptions.MaxWholeObjectSize"/>
    public int? MaxWholeObjectSize { get; set; }

    /// <inheritdoc cref="AssociationOptions.Incremental"/>
    public IncrementalDelivery? Incremental { get; set; }

    /// <inheritdoc cref="AssociationOptions.ReceiptLevel"/>
    public ReceiptLevel? ReceiptLevel { get; set; }

    /// <inheritdoc cref="AssociationOptions.HandlerConcurrency"/>
    public int? HandlerConcurrency { get; set; }

    /// <inheritdoc cref="AssociationOptions.HandlerOrder"/>
    public HandlerOrder? HandlerOrder { get; set; }

    /// <inheritdoc cref="AssociationOptions.MaxAntecedents"/>
    public int? MaxAntecedents { get; set; }

    /// <inheritdoc cref="AssociationOptions.MaxWaitingObjects"/>
    public int? MaxWaitingObjects { get; set; }

    /// <inheritdoc cref="AssociationOptions.AntecedentTimeout"/>
    public TimeSpan? AntecedentTimeout { get; set; }

    /// <inheritdoc cref="AssociationOptions.UseDatagrams"/>
    public bool? UseDatagrams { get; set; }

    /// <inheritdoc cref="AssociationOptions.AcceptStreams"/>
    public bool? AcceptStreams { get; set; }

    /// <inheritdoc cref="AssociationOptions.AllowEarlyData"/>
    public bool? AllowEarlyData { get; set; }

    /// <inheritdoc cref="AssociationOptions.DrainTimeout"/>
    public TimeSpan? DrainTimeout { get; set; }

    /// <inheritdoc cref="AssociationOptions.ResumptionTimeout"/>
    public TimeSpan? ResumptionTimeout { get; set; }

    /// <inheritdoc cref="AssociationOptions.HandshakeTimeout"/>
    public TimeSpan? HandshakeTimeout { get; set; }

    /// <inheritdoc cref="AssociationOptions.IdleTimeout"/>
    public TimeSpan? IdleTimeout { get; set; }

    /// <summary>How often to send something when nothing is to be sent; zero: never.</summary>
    public TimeSpan? KeepAliveInterval { get; set; }

    /// <inheritdoc cref="AssociationOptions.TransportLimits"/>
    public PostTransportLimitSettings TransportLimits { get; } = new();

    /// <summary>These settings over the defaults.</summary>
    /// <returns>The options.</returns>
    /// <exception cref="ArgumentException">A value is out of its range; the message says which.</exception>
    public AssociationOptions ToOptions()
    {
        var defaults = AssociationOptions.Default;
        return defaults with
        {
            MaxQueuedBytes = MaxQueuedBytes ?? defaults.MaxQueuedBytes,
            MaxQueuedObjects = MaxQueuedObjects ?? defaults.MaxQueuedObjects,
            ReceiveBudget = ReceiveBudget ?? defaults.ReceiveBudget,
            MaxWholeObjectSize = MaxWholeObjectSize ?? defaults.MaxWholeObjectSize,
            Incremental = Incremental ?? defaults.Incremental,
            ReceiptLevel = ReceiptLevel ?? defaults.ReceiptLevel,
            HandlerConcurrency = HandlerConcurrency ?? defaults.HandlerConcurrency,
            HandlerOrder = HandlerOrder ?? defaults.HandlerOrder,
            MaxAntecedents = MaxAntecedents ?? defaults.MaxAntecedents,
            MaxWaitingObjects = MaxWaitingObjects ?? defaults.MaxWaitingObjects,
            AntecedentTimeout = AntecedentTimeout ?? defaults.AntecedentTimeout,
            UseDatagrams = UseDatagrams ?? defaults.UseDatagrams,
            AcceptStreams = AcceptStreams ?? defaults.AcceptStreams,
            AllowEarlyData = AllowEarlyData ?? defaults.AllowEarlyData,
            DrainTimeout = DrainTimeout ?? defaults.DrainTimeout,
            ResumptionTimeout = ResumptionTimeout ?? defaults.ResumptionTimeout,
            HandshakeTimeout = HandshakeTimeout ?? defaults.HandshakeTimeout,
            IdleTimeout = IdleTimeout ?? defaults.IdleTimeout,
            KeepAliveInterval = KeepAliveInterval is null
                ? defaults.KeepAliveInterval
                : KeepAliveInterval == TimeSpan.Zero ? null : KeepAliveInterval,
            TransportLimits = TransportLimits.ToLimits(),
        };
    }
}
