namespace Post.Sockets;

/// <summary>An event that an association raises: what <see cref="Association.Register{TEvent}(Action{TEvent})"/> takes.</summary>
/// <param name="Association">The association.</param>
public abstract record AssociationEvent(Association Association) : PostEvent;
