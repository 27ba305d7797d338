//! Tokens into a tree.

use super::ast::{Expr, Node, Query, Term};
use super::check;
use super::error::QueryError;
use super::lex::{Token, TokenKind, lex};
use crate::base::Span;

/// A query longer than this is not a person's; bytes.
const MAX_TEXT: usize = 16 * 1024;
/// Parentheses and negations inside one another.
const MAX_DEPTH: usize = 64;
/// Conditions of one query: each may cost a bit for every stack and string of the trace.
const MAX_TERMS: usize = 256;

/// Reads a query. The empty text is the query that every event answers.
///
/// # Errors
///
/// The first mistake, with its place and, where one is near, the word that was meant.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let whole = Span { start: 0, end: text.len() };
    if text.len() > MAX_TEXT {
        return Err(QueryError::new(whole, format!("a query has at most {MAX_TEXT} bytes")));
    }
    let tokens = lex(text)?;
    if tokens.is_empty() {
        return Ok(Query { root: Node { span: whole, expr: Expr::All } });
    }
    let mut p = Parser { tokens: &tokens, at: 0, end: text.len(), terms: 0 };
    let root = p.or(0)?;
    match p.peek() {
        None => Ok(Query { root }),
        // `or` stops only at the end or at a parenthesis.
        Some(t) => Err(QueryError::new(t.span, "no parenthesis is open here")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: usize,
    terms: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_is(&self, kind: &TokenKind) -> bool {
        self.peek().is_some_and(|t| t.kind == *kind)
    }

    fn or(&mut self, depth: usize) -> Result<Node, QueryError> {
        let mut parts = vec![self.and(depth)?];
        while self.peek_is(&TokenKind::Or) {
            self.at += 1;
            parts.push(self.and(depth)?);
        }
        Ok(join(parts, Expr::Or, |e| match e {
            Expr::Or(p) => Ok(p),
            e => Err(e),
        }))
    }

    fn and(&mut self, depth: usize) -> Result<Node, QueryError> {
        let mut parts = vec![self.unary(depth)?];
        loop {
            match self.peek().map(|t| &t.kind) {
                None | Some(TokenKind::Or | TokenKind::Close) => break,
                Some(TokenKind::And) => self.at += 1,
                Some(_) => {}
            }
            parts.push(self.unary(depth)?);
        }
        let all = join(parts, Expr::And, |e| match e {
            Expr::And(p) => Ok(p),
            e => Err(e),
        });
        check::together(&all)?;
        Ok(of_spans(all))
    }

    fn unary(&mut self, depth: usize) -> Result<Node, QueryError> {
        let Some(token) = self.tokens.get(self.at) else {
            let place = Span { start: self.end, end: self.end };
            let after = self.at.checked_sub(1).map_or("", |i| match self.tokens[i].kind {
                TokenKind::And => " after `and`",
                TokenKind::Or => " after `or`",
                TokenKind::Not => " after `not`",
                _ => "",
            });
            return Err(QueryError::new(place, format!("a term is missing{after}")));
        };
        if depth >= MAX_DEPTH {
            return Err(QueryError::new(token.span, format!("more than {MAX_DEPTH} parentheses or negations deep")));
        }
        self.at += 1;
        match &token.kind {
            TokenKind::Not => {
                let inner = self.unary(depth + 1)?;
                Ok(Node { span: token.span.to(inner.span), expr: Expr::Not(Box::new(inner)) })
            }
            TokenKind::Open => {
                let mut inner = self.or(depth + 1)?;
                match self.peek() {
                    Some(close) => inner.span = token.span.to(close.span),
                    None => return Err(QueryError::new(token.span, "this parenthesis is never closed")),
                }
                self.at += 1;
                Ok(inner)
            }
            TokenKind::Close => Err(QueryError::new(token.span, "a term is missing before `)`")),
            TokenKind::And => Err(QueryError::new(token.span, "a term is missing before `and`")),
            TokenKind::Or => Err(QueryError::new(token.span, "a term is missing before `or`")),
            TokenKind::Text(v) => self.term(token.span, check::text(v)),
            TokenKind::Field(f) => self.term(token.span, check::field(f)),
        }
    }

    fn term(&mut self, span: Span, term: Result<Term, QueryError>) -> Result<Node, QueryError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(QueryError::new(span, format!("a query has at most {MAX_TERMS} terms")));
        }
        Ok(Node { span, expr: Expr::Term(term?) })
    }
}

/// Takes a length that stands right behind a span as the span's.
fn of_spans(all: Node) -> Node {
    let Expr::And(parts) = all.expr else { return all };
    let mut out: Vec<Node> = Vec::with_capacity(parts.len());
    for node in parts {
        match (out.last_mut(), &node.expr) {
            (Some(Node { span, expr: Expr::Term(Term::Span(_, lengths)) }), Expr::Term(Term::Dur(cmp, ns))) => {
                lengths.push((*cmp, *ns));
                *span = span.to(node.span);
            }
            _ => out.push(node),
        }
    }
    if out.len() == 1 { out.swap_remove(0) } else { Node { span: all.span, expr: Expr::And(out) } }
}

/// One node of several: itself if it is alone, and parts that are of the same sort taken up, so that a tree has one
/// shape only.
fn join(parts: Vec<Node>, make: fn(Vec<Node>) -> Expr, open: fn(Expr) -> Result<Vec<Node>, Expr>) -> Node {
    let span = parts.iter().map(|n| n.span).reduce(Span::to).unwrap_or_default();
    let mut flat = Vec::with_capacity(parts.len());
    if parts.len() == 1 {
        flat = parts;
    } else {
        for Node { span, expr } in parts {
            match open(expr) {
                Ok(inner) => flat.extend(inner),
                Err(expr) => flat.push(Node { span, expr }),
            }
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Node { span, expr: make(flat) } }
}
