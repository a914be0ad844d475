namespace Post.Sockets.Associations.Ownership;

/// <summary>What belongs to an <see cref="AssociationOwner"/>.</summary>
internal interface IOwned
{
    /// <summary>Does what has become possible: sends, tells, sets the timer. By the owner.</summary>
    void Run();

    /// <summary>A defect of ours or of a transport must not leave the association hanging without a word. By the owner.</summary>
    void OnFailed(Exception exception);
}
