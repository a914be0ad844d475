namespace Post.Sockets;

/// <summary>An event that an association raises: what <see cref="Association.Register{TEvent}(Action{TEvent})"/> takes.</summary>
public abstract record AssociationEvent : PostEvent
{
    private protected AssociationEvent(Association association) => Association = association;

    /// <summary>The association.</summary>
    public Association Association { get; init; }
}
